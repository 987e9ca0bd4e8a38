package dev.murmuration.model;

/** The metadata keys by which a GGUF file says how its model gives rewards, and their values. */
public final class RewardMetadata {
  /** The value head: an array of float32, one for each hidden unit. */
  public static final String VALUE_HEAD = "reward_model.value_head.weight";

  /** Name of the chat template, a string. */
  public static final String TEMPLATE = "reward_model.template";

  /** Tokens of the longest text, a uint32. */
  public static final String MAX_LENGTH = "reward_model.max_length";

  /** Which hidden state the head is applied to, a string. */
  public static final String READOUT = "reward_model.readout";

  /** The read-out of the last real token, which is also meant where none is named. */
  public static final String LAST_TOKEN = "last_token";

  /** The longest text where none is named: what Starling-RM was trained with. */
  public static final int DEFAULT_MAX_LENGTH = 2048;

  private RewardMetadata() {}
}
