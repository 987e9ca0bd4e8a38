package dev.murmuration.llama;

import dev.murmuration.llama.bindings.Bindings;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/**
 * A model's file, opened once. Java checks it and llama.cpp loads it through the same descriptor,
 * so both read one file even if another takes its name in between. For one thread.
 */
public final class OpenModelFile implements SeekableByteChannel {
  private final Arena arena = Arena.ofConfined();
  private final Path path;
  private final MemorySegment handle;
  private long position;

  private OpenModelFile(Path path) throws IOException {
    this.path = path;
    NativeError error = new NativeError(arena);
    MemorySegment opened =
        Bindings.murmur_file_open(NativePath.of(path, arena), error.segment(), error.size());
    if (opened.equals(MemorySegment.NULL)) {
      throw new FileSystemException(path.toString(), null, error.text());
    }
    this.handle = opened.reinterpret(arena, Bindings::murmur_file_close);
  }

  /**
   * Opens a regular file. Anything else, such as a pipe, is refused without waiting for it.
   *
   * @throws IOException if it cannot be opened
   */
  public static OpenModelFile open(Path path) throws IOException {
    Llama.ensureLoaded();
    return new OpenModelFile(path);
  }

  /** The file, as it was named by the caller. */
  public Path path() {
    return path;
  }

  MemorySegment handle() {
    return handle;
  }

  /**
   * Makes sure that nobody has written to the file since it was opened. Another file under the same
   * name does not count.
   *
   * @throws IOException if somebody has
   */
  public void requireUnchanged() throws IOException {
    if (Bindings.murmur_file_changed(handle)) {
      throw new FileSystemException(
          path.toString(),
          null,
          "the file was changed while it was being read; write a new model beside it and replace"
              + " it by renaming (mv), then try again");
    }
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    requireOpen();
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment bytes = scratch.allocate(Math.max(1, into.remaining()));
      NativeError error = new NativeError(scratch);
      long count =
          Bindings.murmur_file_read(
              handle, position, bytes, into.remaining(), error.segment(), error.size());
      if (count < 0) {
        throw new FileSystemException(path.toString(), null, error.text());
      }
      if (count == 0 && into.hasRemaining()) {
        return -1;
      }
      into.put(bytes.asSlice(0, count).asByteBuffer());
      position += count;
      return (int) count;
    }
  }

  @Override
  public long position() throws IOException {
    requireOpen();
    return position;
  }

  @Override
  public SeekableByteChannel position(long value) throws IOException {
    requireOpen();
    if (value < 0) {
      throw new IllegalArgumentException("the position is " + value + ", the least is 0");
    }
    position = value;
    return this;
  }

  /** Bytes when it was opened. */
  @Override
  public long size() throws IOException {
    requireOpen();
    return Bindings.murmur_file_size(handle);
  }

  private void requireOpen() throws ClosedChannelException {
    if (!isOpen()) {
      throw new ClosedChannelException();
    }
  }

  @Override
  public int write(ByteBuffer from) {
    throw new NonWritableChannelException();
  }

  @Override
  public SeekableByteChannel truncate(long size) {
    throw new NonWritableChannelException();
  }

  @Override
  public boolean isOpen() {
    return arena.scope().isAlive();
  }

  @Override
  public void close() {
    if (isOpen()) {
      arena.close();
    }
  }
}
