package dev.murmuration.engine;

/** The steps of the engine's thread, in their order, at each of which tests let it fail. */
public enum Step {
  /** The thread begins to wait for requests. */
  WAIT,
  /** Requests leave the queue. */
  TAKE,
  /** Requests are looked up among what was computed before. */
  LOOK_UP,
  /** What is computed is planned. */
  PLAN,
  /** A larger context takes the place of one that is too small for what is planned. */
  GROW,
  /** Room is made in the cache. */
  MAKE_ROOM,
  /** Tokens are added to a batch. */
  ADD,
  /** A batch is computed. */
  DECODE,
  /** Rewards are read from hidden states. */
  READ,
  /** A request is answered. */
  ANSWER,
  /** What was computed is noted for later requests. */
  KEEP,
  /** A wave ends. */
  SETTLE
}
