package dev.murmuration.batch;

/**
 * What a batch has done so far, earlier runs of it included.
 *
 * @param row number of the last row that was looked at
 * @param scored rows with rewards
 * @param failed rows without
 * @param texts rewards
 * @param tokens of all texts that have one
 * @param truncated texts that were cut
 */
public record BatchCounts(
    long row, long scored, long failed, long texts, long tokens, long truncated) {
  static final BatchCounts NONE = new BatchCounts(0, 0, 0, 0, 0, 0);

  BatchCounts scored(long number, long newTexts, long newTokens, long newTruncated) {
    return new BatchCounts(
        number, scored + 1, failed, texts + newTexts, tokens + newTokens, truncated + newTruncated);
  }

  BatchCounts failed(long number) {
    return new BatchCounts(number, scored, failed + 1, texts, tokens, truncated);
  }

  BatchCounts withoutFailed() {
    return new BatchCounts(0, scored, 0, texts, tokens, truncated);
  }

  BatchCounts at(long number) {
    return new BatchCounts(number, scored, failed, texts, tokens, truncated);
  }

  /** Rows that came out, one way or the other. */
  public long rows() {
    return scored + failed;
  }
}
