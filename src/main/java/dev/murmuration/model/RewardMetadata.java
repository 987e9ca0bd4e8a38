package dev.murmuration.model;

/** The metadata keys with which a GGUF file describes its reward model, and their values. */
public final class RewardMetadata {
  /** The family whose published code a conversion followed, a string such as {@code Starling}. */
  public static final String FAMILY = "reward_model.family";

  /** The value of {@link #FAMILY} for Starling-RM-7B and what is like it. */
  public static final String STARLING = "Starling";

  /** A linear value head: an array of float32, one for each hidden unit. */
  public static final String VALUE_HEAD = "reward_model.value_head.weight";

  /** The bias of a linear value head, a float32; 0 by default. */
  public static final String VALUE_HEAD_BIAS = "reward_model.value_head.bias";

  /**
   * The number of layers of a head that is a network, a uint32. Of layer N, from 0, {@code
   * reward_model.value_head.N.} begins the keys {@code weight} (an array of float32, row by row),
   * {@code shape} (an array of int32: outputs, inputs), {@code bias} (an array of float32) and
   * {@code activation} (a string, what follows the layer; none by default).
   */
  public static final String VALUE_HEAD_LAYERS = "reward_model.value_head.layer_count";

  /**
   * The plain name of a safetensors file in the same folder, a string: it holds {@code N.weight}
   * and {@code N.bias} of a network that is too large for metadata.
   */
  public static final String VALUE_HEAD_FILE = "reward_model.value_head.file";

  /** The SHA-256 of {@link #VALUE_HEAD_FILE}, a string of hexadecimal digits. */
  public static final String VALUE_HEAD_HASH = "reward_model.value_head.file.sha256";

  /**
   * Name of the chat template, a string: one of ours, or {@link #TOKENIZER_TEMPLATE} for the one
   * under {@link #CHAT_TEMPLATE}.
   */
  public static final String TEMPLATE = "reward_model.template";

  /** The value of {@link #TEMPLATE} for the template that the file itself holds. */
  public static final String TOKENIZER_TEMPLATE = "tokenizer";

  /** The text of a Jinja template, a string; llama.cpp's key. */
  public static final String CHAT_TEMPLATE = "tokenizer.chat_template";

  /** The day that a template is told, a string such as {@code 2024-07-26}; never today's. */
  public static final String TEMPLATE_DATE = "reward_model.template.date";

  /**
   * Whether a template is given the text of BOS, a bool; true by default. A tokenizer may have no
   * BOS though the model's configuration names one.
   */
  public static final String TEMPLATE_BOS = "reward_model.template.bos";

  /** Tokens of the longest text, a uint32. */
  public static final String MAX_LENGTH = "reward_model.max_length";

  /** The side on which a text that is too long is cut, {@code left} (the default) or right. */
  public static final String TRUNCATION_SIDE = "reward_model.truncation_side";

  /**
   * How a text is normalized before it is tokenized, {@link #NFC} or {@link #EXTRA_BLANKS}; not at
   * all by default.
   */
  public static final String NORMALIZER = "reward_model.normalizer";

  /** Unicode's normal form C. */
  public static final String NFC = "nfc";

  /**
   * SentencePiece's {@code remove_extra_whitespaces}: no blanks at the ends of a piece, and one in
   * place of several.
   */
  public static final String EXTRA_BLANKS = "remove_extra_whitespaces";

  /**
   * Whether the text of the BOS token is taken out of a text before it is tokenized, a bool; false
   * by default.
   */
  public static final String REMOVE_BOS = "reward_model.remove_bos";

  /**
   * Where blanks are put before pieces of a text, one of {@link SpacePrefix}'s labels; where it is
   * absent, as llama.cpp does.
   */
  public static final String SPACE_PREFIX = "reward_model.space_prefix";

  /** Which hidden state the head is applied to, a string: a rule of {@link ReadoutRule}. */
  public static final String READOUT = "reward_model.readout";

  /** The read-out of the last real token, which is the default. */
  public static final String LAST_TOKEN = "last_token";

  /** The read-out of the last token that is not {@link #READOUT_PAD}. */
  public static final String BEFORE_PAD = "before_pad";

  /** The read-out of the token before the first {@link #READOUT_PAD}. */
  public static final String BEFORE_FIRST_PAD = "before_first_pad";

  /** What Starling-RM-7B's published code reads: the padding token behind the text. */
  public static final String PUBLISHED = "published";

  /** Id of the padding token that a read-out looks for or appends, a uint32. */
  public static final String READOUT_PAD = "reward_model.readout.pad_token_id";

  /** The default for {@link #MAX_LENGTH}, with which Starling-RM was trained. */
  public static final int DEFAULT_MAX_LENGTH = 2048;

  private RewardMetadata() {}
}
