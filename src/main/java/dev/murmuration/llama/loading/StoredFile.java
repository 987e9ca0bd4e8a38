package dev.murmuration.llama.loading;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * A file of a set that the jar holds, as it must be on the disk.
 *
 * @param size in bytes
 * @param sha256 lower-case hexadecimal
 */
public record StoredFile(String name, long size, String sha256) {
  /** Computes {@link #sha256}. */
  static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
