package dev.murmuration.server.protocol;

/** A request that cannot be answered as it is, with a message for who sent it. */
public final class RequestFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;
  private final String field;

  private RequestFailure(int status, String field, String message, Throwable cause) {
    super(message, cause, false, false);
    this.status = status;
    this.field = field;
  }

  /** One with this status of HTTP. */
  public static RequestFailure of(int status, String message) {
    return new RequestFailure(status, null, message, null);
  }

  /** The same, for what was thrown. */
  public static RequestFailure of(int status, String message, Throwable cause) {
    return new RequestFailure(status, null, message, cause);
  }

  /** One that a field of the request is to blame for. */
  public static RequestFailure field(String field, String message) {
    return new RequestFailure(400, field, message, null);
  }

  /** The status of HTTP. */
  public int status() {
    return status;
  }

  /** The field that is to blame, or null. */
  public String field() {
    return field;
  }
}
