package dev.murmuration.model;

/** The metadata keys with which a GGUF file describes its reward model, and their values. */
public final class RewardMetadata {
  /** The value head: an array of float32, one for each hidden unit. */
  public static final String VALUE_HEAD = "reward_model.value_head.weight";

  /** Name of the chat template, a string. */
  public static final String TEMPLATE = "reward_model.template";

  /** Tokens of the longest text, a uint32. */
  public static final String MAX_LENGTH = "reward_model.max_length";

  /** Which hidden state the head is applied to, a string. */
  public static final String READOUT = "reward_model.readout";

  /** The read-out of the last real token, which is the default. */
  public static final String LAST_TOKEN = "last_token";

  /** The default for {@link #MAX_LENGTH}, with which Starling-RM was trained. */
  public static final int DEFAULT_MAX_LENGTH = 2048;

  private RewardMetadata() {}
}
