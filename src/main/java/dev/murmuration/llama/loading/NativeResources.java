package dev.murmuration.llama.loading;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The native libraries that a jar, a module or a folder of the application holds. They are found
 * through the class loader and may lie in any of its jars: {@code META-INF/native} is no package,
 * so that no module hides it.
 *
 * @param place the jar or folder, for messages
 * @param text the bytes of {@code MANIFEST}
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared as a whole.
record NativeResources(URL url, String place, byte[] text, NativeManifest manifest) {

  /**
   * The one set of libraries for a platform and of a version. A set without a version is a build of
   * this machine, which fits or not as the handshake says.
   *
   * @param platform such as {@code linux-x86_64}
   * @throws UnsatisfiedLinkError if there is none, none of this version, or more than one
   */
  static NativeResources find(ClassLoader loader, String platform, String version) {
    String name = "META-INF/native/" + platform + "/" + NativeManifest.NAME;
    List<NativeResources> all = all(loader, name);
    if (all.isEmpty()) {
      throw new UnsatisfiedLinkError(missing(name, platform, version));
    }
    List<NativeResources> fitting =
        all.stream().filter(found -> found.manifest.isOf(version)).toList();
    if (fitting.isEmpty()) {
      NativeResources other = all.getFirst();
      throw other.manifest.otherVersion(version, other.place);
    }
    NativeResources first = fitting.getFirst();
    // The same jar may be found in a class loader and in its parent.
    if (fitting.stream().anyMatch(other -> !Arrays.equals(other.text, first.text))) {
      throw new UnsatisfiedLinkError(
          "there are several builds of the native library for "
              + platform
              + ", and nothing says which one is meant. Each is complete; keep one of "
              + fitting.stream().map(NativeResources::described).collect(Collectors.joining(", ")));
    }
    return first;
  }

  private String described() {
    return place + " (for " + String.join(" and ", manifest.backends()) + ")";
  }

  private static String missing(String name, String platform, String version) {
    return "no native library for "
        + platform
        + ": no jar or module of the application holds "
        + name
        + "; add dev.murmuration:murmuration-natives:"
        + version
        + " with the classifier "
        + platform
        + " (a modular application names its module as well: --add-modules"
        + " dev.murmuration.natives."
        + platform.replace('-', '.')
        + "), or build it with native/build.sh on this machine and set"
        + " -Dmurmuration.native.dir=DIR";
  }

  private static List<NativeResources> all(ClassLoader loader, String name) {
    List<NativeResources> all = new ArrayList<>();
    try {
      for (URL url : Collections.list(loader.getResources(name))) {
        byte[] text;
        try (InputStream in = open(url)) {
          text = in.readAllBytes();
        }
        String place = place(url, name);
        NativeManifest manifest =
            NativeManifest.require(new String(text, StandardCharsets.UTF_8), place);
        all.add(new NativeResources(url, place, text, manifest));
      }
    } catch (IOException e) {
      throw LoadFailure.error(
          "cannot read " + name + " from the application: " + e.getMessage(), e);
    }
    return all;
  }

  /** The jar's or folder's name, where it is a file of the system's; else the address. */
  static String place(URL url, String name) {
    String text = url.toString();
    text = text.substring(0, text.length() - name.length()).replaceFirst("!?/$", "");
    text = text.startsWith("jar:file:") ? text.substring("jar:".length()) : text;
    return text.startsWith("file:/") ? Path.of(URI.create(text)).toString() : text;
  }

  /** Opens the file of this name beside the manifest; null if there is none. */
  // The other way to make a URL would lose the handler, which a class loader may have of its own.
  @SuppressWarnings("deprecation")
  InputStream open(String file) throws IOException {
    try {
      return open(new URL(url, file));
    } catch (FileNotFoundException e) {
      return null;
    }
  }

  private static InputStream open(URL url) throws IOException {
    URLConnection connection = url.openConnection();
    // What the JDK keeps open would outlive an application that is taken out of its server.
    connection.setUseCaches(false);
    return connection.getInputStream();
  }
}
