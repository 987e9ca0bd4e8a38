package dev.murmuration.tensors;

/**
 * An entry of a zip that is stored as it is.
 *
 * @param name its name, for messages
 * @param offset where its bytes begin, in the file
 * @param size how many there are
 * @param crc their CRC-32; 0 if it was not computed, as PyTorch can be told ({@code
 *     torch.utils.serialization.config.save.compute_crc32})
 */
public record ZipMember(String name, long offset, long size, int crc) {
  boolean isChecked() {
    return crc != 0;
  }
}
