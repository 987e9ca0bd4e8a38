package dev.murmuration.llama.loading;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds out from the system loader's message why a library could not be loaded, and says what to
 * do. It knows the messages of glibc, musl, macOS's dyld and the JVM.
 */
public enum LoadFailure {
  /** The file is loaded, by another class loader of this JVM. */
  OTHER_CLASS_LOADER("already loaded in another classloader") {
    @Override
    String remedy(Matcher found) {
      return "put Murmuration where both class loaders find it, in a parent that they share";
    }
  },
  NO_EXECUTION("failed to map segment|Operation not permitted|file system sandbox blocked") {
    @Override
    String remedy(Matcher found) {
      return "its file system is mounted noexec, or a policy of the system forbids to run code from"
          + " it; name a directory elsewhere: XDG_CACHE_HOME=DIR in the environment, or java"
          + " -Dmurmuration.cache.dir=DIR";
    }
  },
  OTHER_ARCHITECTURE(
      "Possible cause: can't load|wrong ELF class|incompatible architecture|endianness mismatch"
          + "|wrong architecture|Exec format error") {
    @Override
    String remedy(Matcher found) {
      return "it was made for another kind of processor; build Murmuration on this machine";
    }
  },
  OLD_SYSTEM("version [`'\"]?((?:GLIBC|GLIBCXX|CXXABI|GCC)_[0-9.]+)[`'\"]? not found") {
    @Override
    String remedy(Matcher found) {
      return "it was built on a newer system and needs "
          + found.group(1)
          + "; build Murmuration on this machine, or on the oldest system that it is to run on";
    }
  },
  OTHER_C_LIBRARY("ld-linux[-\\w]*\\.so|Error relocating|symbol not found") {
    @Override
    String remedy(Matcher found) {
      return "it was built for another C library (glibc or musl); build Murmuration on this"
          + " machine";
    }
  },
  MISSING_DEPENDENCY(
      "(?:^|[\\s:])(\\S+\\.so[.0-9]*): cannot open shared object file: No such file"
          + "|Error loading shared library (\\S+): No such file"
          + "|Library not loaded: (\\S+)") {
    @Override
    String remedy(Matcher found) {
      String library = found.group(1) != null ? found.group(1) : found.group(2);
      library = library != null ? library : found.group(3);
      return "it needs " + library + ", which this system lacks; " + packageOf(library);
    }
  },
  UNREADABLE("Permission denied|cannot open shared object file") {
    @Override
    String remedy(Matcher found) {
      return "this user may not read it; give it back its permissions, or remove its directory";
    }
  },
  DAMAGED("invalid ELF header|file too short|not a mach-o|ELF load command|undefined symbol") {
    @Override
    String remedy(Matcher found) {
      return "it is damaged, or belongs to another build; remove its directory, and rebuild it with"
          + " native/build.sh if it comes from there";
    }
  },
  UNKNOWN("") {
    @Override
    String remedy(Matcher found) {
      return "rebuild it with native/build.sh on this machine";
    }
  };

  private final Pattern words;

  LoadFailure(String words) {
    this.words = Pattern.compile(words);
  }

  abstract String remedy(Matcher found);

  static LoadFailure of(String message) {
    for (LoadFailure failure : values()) {
      if (failure.words.matcher(message).find()) {
        return failure;
      }
    }
    return UNKNOWN;
  }

  /** What to do about it. */
  public static String remedyFor(String message) {
    LoadFailure failure = of(message);
    Matcher found = failure.words.matcher(message);
    return found.find() ? failure.remedy(found) : UNKNOWN.remedy(found);
  }

  /** What failed, what the system says, and what to do. */
  static String explain(Path library, String message) {
    String remedy = remedyFor(message);
    // The JVM and the system name the library again.
    String said = message.replace(library + ": ", "");
    return "cannot load " + library + " on " + Platform.name() + " (" + said + "): " + remedy;
  }

  private static String packageOf(String library) {
    String name = library.substring(library.lastIndexOf('/') + 1);
    if (name.startsWith("libstdc++")) {
      return "install it (Debian, Ubuntu: libstdc++6)";
    }
    if (name.startsWith("libgcc_s")) {
      return "install it (Debian, Ubuntu: libgcc-s1)";
    }
    if (name.startsWith("libcuda.so")) {
      return "install NVIDIA's driver, of which it is a part";
    }
    if (name.startsWith("libcudart") || name.startsWith("libcublas")) {
      return "install the runtime libraries of the CUDA Toolkit, of the version in that name";
    }
    if (name.startsWith("libvulkan")) {
      return "install Vulkan's loader (Debian, Ubuntu: libvulkan1) and the GPU's driver";
    }
    if (name.startsWith("libggml") || name.startsWith("libllama")) {
      return "it belongs beside it: the directory is not complete; rebuild it with native/build.sh";
    }
    return "install it, or build Murmuration on this machine";
  }

  /** An error with a cause, which its constructor does not take. */
  public static UnsatisfiedLinkError error(String message, Throwable cause) {
    UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
    error.initCause(cause);
    return error;
  }
}
