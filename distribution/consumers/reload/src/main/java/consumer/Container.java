package consumer;

import java.io.File;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Deploys an application, takes it out and deploys it again, then deploys it twice at once. Its
 * arguments are the application's jars and folders.
 */
public final class Container {
  private Container() {}

  public static void main(String[] places) throws Exception {
    WeakReference<ClassLoader> first = deployAndTakeOut(places);
    System.out.println(isCollected(first) ? "collected" : "kept");
    deployAndTakeOut(places);
    try (URLClassLoader one = deploy(places);
        URLClassLoader two = deploy(places);
        ExecutorService threads = Executors.newFixedThreadPool(2)) {
      Future<Double> ofOne = threads.submit(application(one));
      Future<Double> ofTwo = threads.submit(application(two));
      System.out.println(ofOne.get());
      System.out.println(ofTwo.get());
    }
  }

  private static WeakReference<ClassLoader> deployAndTakeOut(String[] places) throws Exception {
    try (URLClassLoader loader = deploy(places)) {
      System.out.println(application(loader).call());
      return new WeakReference<>(loader);
    }
  }

  // Murmuration is on no class path that it shares with this class.
  private static URLClassLoader deploy(String[] places) throws Exception {
    URL[] urls = new URL[places.length];
    for (int i = 0; i < urls.length; i++) {
      urls[i] = new File(places[i]).toURI().toURL();
    }
    return new URLClassLoader(urls, ClassLoader.getPlatformClassLoader());
  }

  @SuppressWarnings("unchecked")
  private static Callable<Double> application(ClassLoader loader) throws Exception {
    return (Callable<Double>)
        loader.loadClass("consumer.Application").getDeclaredConstructor().newInstance();
  }

  private static boolean isCollected(WeakReference<ClassLoader> loader) {
    for (int i = 0; i < 100 && Objects.nonNull(loader.get()); i++) {
      System.gc();
    }
    return loader.get() == null;
  }
}
