package dev.murmuration.spark;

import dev.murmuration.reward.RewardModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.spark.TaskContext;
import org.apache.spark.util.TaskCompletionListener;

/**
 * The models of this JVM, an executor's: one for each file and options, which all tasks feed. A
 * model is loaded by the first task that wants it, on a thread of its own, so that a task that is
 * killed does not end the loading for the others. It stays for later tasks until another model is
 * wanted while no task uses it, and until the JVM ends. Any thread may call.
 */
final class SharedModels implements AutoCloseable {
  /** Makes a model of what the settings name. */
  interface Loader {
    RewardModel load(RewardSettings settings) throws Exception;
  }

  /** What must be the same for tasks to feed the same model. */
  private record Key(String model, SortedMap<String, String> options) {}

  /** A task that uses a model. */
  private record User(long task, Key key) {}

  /** A model, or one to come. */
  private static final class Entry {
    final CompletableFuture<RewardModel> model = new CompletableFuture<>();

    // Guarded by the owner's lock.
    int users;
    boolean current = true;

    boolean hasEnded() {
      return isLoaded() && !model.join().isOpen();
    }

    boolean isLoaded() {
      return model.isDone() && !model.isCompletedExceptionally();
    }

    void close() {
      if (isLoaded()) {
        model.join().close();
      }
    }
  }

  private static final SharedModels OF_THIS_JVM = new SharedModels(ModelFiles::load);

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(OF_THIS_JVM::close, "murmuration-shutdown"));
  }

  private final Loader loader;

  // Guarded by this.
  private final Map<Key, Entry> entries = new HashMap<>();
  private final Map<User, Entry> ofTasks = new HashMap<>();
  private boolean closed;

  SharedModels(Loader loader) {
    this.loader = loader;
  }

  static SharedModels ofThisJvm() {
    return OF_THIS_JVM;
  }

  /** Somebody's use of a model, which stays open until this is closed. */
  final class Lease implements AutoCloseable {
    private final Entry entry;
    private final RewardModel model;
    private boolean closed;

    private Lease(Entry entry, RewardModel model) {
      this.entry = entry;
      this.model = model;
    }

    RewardModel model() {
      return model;
    }

    /** Closing twice is allowed. */
    @Override
    public void close() {
      synchronized (SharedModels.this) {
        if (closed) {
          return;
        }
        closed = true;
      }
      release(entry);
    }
  }

  /**
   * The model that the settings name, for the task of this thread, until the task ends.
   *
   * @throws InterruptedException if the task is killed while the model is loaded
   * @throws IllegalStateException if it cannot be loaded
   */
  RewardModel ofTask(TaskContext task, RewardSettings settings) throws InterruptedException {
    User user = new User(task.taskAttemptId(), key(settings));
    synchronized (this) {
      Entry known = ofTasks.get(user);
      if (known != null && !known.hasEnded()) {
        return known.model.join();
      }
    }
    Lease lease = lease(settings);
    synchronized (this) {
      ofTasks.put(user, lease.entry);
    }
    TaskCompletionListener atEnd =
        _ -> {
          synchronized (this) {
            ofTasks.remove(user);
          }
          lease.close();
        };
    task.addTaskCompletionListener(atEnd);
    return lease.model();
  }

  /**
   * The model that the settings name, loaded if it is not yet.
   *
   * @throws InterruptedException if the thread is interrupted while the model is loaded
   * @throws IllegalStateException if it cannot be loaded
   */
  Lease lease(RewardSettings settings) throws InterruptedException {
    Entry entry = enter(settings);
    try {
      return new Lease(entry, entry.model.get());
    } catch (ExecutionException e) {
      release(entry);
      // Each task gets an exception of its own: they are thrown on several threads.
      throw new IllegalStateException(e.getCause().getMessage(), e.getCause());
    } catch (InterruptedException | RuntimeException | Error e) {
      release(entry);
      throw e;
    }
  }

  private static Key key(RewardSettings settings) {
    return new Key(settings.model(), settings.options());
  }

  private synchronized Entry enter(RewardSettings settings) {
    if (closed) {
      throw new IllegalStateException("the executor is shutting down; no model is loaded any more");
    }
    Key key = key(settings);
    Entry entry = entries.get(key);
    if (entry != null && entry.hasEnded()) {
      remove(key);
      entry = null;
    }
    if (entry == null) {
      Entry added = new Entry();
      Thread.ofPlatform().name("murmuration-load").daemon().start(() -> load(key, added, settings));
      entries.put(key, added);
      entry = added;
    }
    entry.users++;
    return entry;
  }

  private void load(Key key, Entry entry, RewardSettings settings) {
    try {
      // Their memory may be needed.
      closeUnused();
      RewardModel model = loader.load(settings);
      entry.model.complete(model);
      synchronized (this) {
        if (!closed) {
          return;
        }
      }
      model.close();
    } catch (Throwable e) {
      // The next task that wants it tries again.
      synchronized (this) {
        remove(key);
      }
      entry.model.completeExceptionally(e);
    }
  }

  /** Called under the lock. */
  private void remove(Key key) {
    Entry entry = entries.remove(key);
    if (entry != null) {
      entry.current = false;
    }
  }

  /** Called under the lock. */
  private List<Entry> removeUnused() {
    List<Entry> unused = new ArrayList<>();
    for (var known : List.copyOf(entries.entrySet())) {
      if (known.getValue().users == 0 && known.getValue().model.isDone()) {
        unused.add(known.getValue());
        remove(known.getKey());
      }
    }
    return unused;
  }

  private void release(Entry entry) {
    synchronized (this) {
      entry.users--;
      if (entry.users > 0 || entry.current) {
        return;
      }
    }
    entry.close();
  }

  /** Frees the models that no task uses. */
  void closeUnused() {
    List<Entry> unused;
    synchronized (this) {
      unused = removeUnused();
    }
    unused.forEach(Entry::close);
  }

  /** Frees all models, also those in use, and refuses later tasks. */
  @Override
  public void close() {
    List<Entry> all;
    synchronized (this) {
      closed = true;
      all = List.copyOf(entries.values());
      entries.clear();
    }
    all.forEach(Entry::close);
  }
}
