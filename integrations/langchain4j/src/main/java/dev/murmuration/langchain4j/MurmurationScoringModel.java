package dev.murmuration.langchain4j;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.output.TokenUsage;
import dev.langchain4j.model.scoring.ScoringModel;
import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A LangChain4j {@link ScoringModel} whose scores are rewards. The query is the prompt, a text is
 * the response that is judged; LangChain4j gives the text first: {@code score(response, prompt)}.
 *
 * <p>Scores are unbounded, and only differences between texts of one query mean something: a
 * minimum score must be chosen for a model and its prompts. A reward model judges how well a text
 * answers, not how similar it is to the query.
 *
 * <p>Any number of threads may call any methods at the same time. All segments of a call are
 * computed together, so the query is computed once. What {@link RewardModel#scoreAll(List,
 * CallOptions)} throws, the methods here throw.
 */
public final class MurmurationScoringModel implements ScoringModel, AutoCloseable {
  /** Name of the metadata of a response that holds the {@link Reward} of each segment, a list. */
  public static final String REWARDS = "rewards";

  private final RewardModel model;
  private final boolean owned;
  private final CallOptions options;

  private MurmurationScoringModel(RewardModel model, boolean owned, CallOptions options) {
    this.model = model;
    this.owned = owned;
    this.options = options;
  }

  /**
   * {@return a scoring model of this reward model, which stays its owner's to close}
   *
   * @param model computes the rewards
   */
  public static MurmurationScoringModel of(RewardModel model) {
    return builder().rewardModel(model).build();
  }

  /** {@return a builder} */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * The rewards of texts as responses to a prompt.
   *
   * @param segments the responses; may be empty
   * @param query the prompt; not empty
   * @return a reward for each segment, in their order; the token usage counts the tokens of all
   *     texts, the prompt each time, and the metadata {@link #REWARDS} tells how each was read and
   *     how many of its tokens were cut off
   * @throws IllegalArgumentException if the query is empty, or a text cannot be encoded or is too
   *     long and truncation is off; it says which
   * @throws dev.murmuration.reward.NonFiniteRewardException if the model computes no finite number
   *     for some
   * @throws dev.murmuration.reward.ScoringTimeoutException if it takes longer than allowed
   * @throws java.util.concurrent.RejectedExecutionException if the queue is full and the options
   *     say not to wait
   */
  @Override
  public Response<List<Double>> scoreAll(List<TextSegment> segments, String query) {
    List<Conversation> inputs =
        segments.stream().map(segment -> Input.of(query, segment.text())).toList();
    List<Reward> rewards = model.scoreAll(inputs, options);
    return Response.from(
        rewards.stream().map(Reward::reward).toList(),
        new TokenUsage(rewards.stream().mapToInt(Reward::tokens).sum()),
        null,
        Map.of(REWARDS, rewards));
  }

  /**
   * Frees the reward model if it was loaded here. One that was given stays open. Closing twice is
   * allowed.
   */
  @Override
  public void close() {
    if (owned) {
      model.close();
    }
  }

  /** Makes a {@link MurmurationScoringModel} of a file or of a model that is loaded already. */
  public static final class Builder {
    private RewardModel model;
    private Path file;
    private RewardModelOptions loading = RewardModelOptions.defaults();
    private CallOptions call = CallOptions.defaults();

    private Builder() {}

    /**
     * A reward model that is loaded already, and stays its owner's to close.
     *
     * @param value computes the rewards
     * @return this builder
     */
    public Builder rewardModel(RewardModel value) {
      model = Objects.requireNonNull(value, "rewardModel");
      return this;
    }

    /**
     * A GGUF file to be loaded by {@link #build}; {@link MurmurationScoringModel#close} frees it.
     *
     * @param value the file
     * @return this builder
     */
    public Builder modelPath(Path value) {
      file = Objects.requireNonNull(value, "modelPath");
      return this;
    }

    /**
     * How the file is loaded and scores; not for a model that is loaded already.
     *
     * @param value the options
     * @return this builder
     */
    public Builder options(RewardModelOptions value) {
      loading = Objects.requireNonNull(value, "options");
      return this;
    }

    /**
     * How each call behaves: its timeout, and whether it waits while the queue is full.
     *
     * @param value the options
     * @return this builder
     */
    public Builder callOptions(CallOptions value) {
      call = Objects.requireNonNull(value, "callOptions");
      return this;
    }

    /**
     * {@return the scoring model, to be closed if it loads a file}
     *
     * @throws IllegalArgumentException if not exactly one of file and model is given, or an option
     *     does not fit the model
     * @throws UncheckedIOException if the file cannot be read, is damaged, or is no reward model
     */
    public MurmurationScoringModel build() {
      if ((model == null) == (file == null)) {
        throw new IllegalArgumentException(
            (model == null ? "neither of" : "both")
                + " rewardModel and modelPath are given; give one of them");
      }
      try {
        return file == null
            ? new MurmurationScoringModel(model, false, call)
            : new MurmurationScoringModel(RewardModel.load(file, loading), true, call);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
