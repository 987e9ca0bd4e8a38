package dev.murmuration.server.protocol;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** How a server says that a request failed. */
public enum ErrorShape {
  /** Ours, which is OpenAI's: {@code {"error": {"message", "type", "code", "param"}}}. */
  NATIVE {
    @Override
    void write(ObjectNode answer, int status, String message, String field) {
      ObjectNode error = answer.putObject("error");
      error.put("message", message).put("type", type(status)).put("code", status);
      if (field != null) {
        error.put("param", field);
      }
    }
  },
  /** vLLM's: the same, with other types, and the field in any case. */
  VLLM {
    @Override
    void write(ObjectNode answer, int status, String message, String field) {
      answer
          .putObject("error")
          .put("message", message)
          .put("type", pythonType(status))
          .put("param", field)
          .put("code", status);
    }
  },
  /** SGLang's, of its OpenAI-like routes. */
  SGLANG {
    @Override
    void write(ObjectNode answer, int status, String message, String field) {
      answer
          .put("object", "error")
          .put("message", message)
          .put("type", pythonType(status))
          .put("param", field)
          .put("code", status);
    }
  },
  /** Text-embeddings-inference's. */
  EMBEDDINGS {
    @Override
    void write(ObjectNode answer, int status, String message, String field) {
      answer.put("error", message).put("error_type", embeddingsType(status));
    }
  },
  /** FastAPI's. */
  DETAIL {
    @Override
    void write(ObjectNode answer, int status, String message, String field) {
      answer.put("detail", message);
    }
  },
  /** A sentence. */
  PLAIN {
    @Override
    void write(ObjectNode answer, int status, String message, String field) {
      answer.put("error", message);
    }
  };

  abstract void write(ObjectNode answer, int status, String message, String field);

  /**
   * The answer to a request that failed.
   *
   * @param status of HTTP
   * @param field that is to blame, or null
   */
  public ObjectNode answer(int status, String message, String field) {
    ObjectNode answer = JsonNodeFactory.instance.objectNode();
    write(answer, status, message, field);
    return answer;
  }

  private static String type(int status) {
    return switch (status) {
      case 401 -> "authentication_error";
      case 404 -> "not_found_error";
      case 408 -> "request_timeout_error";
      case 413 -> "too_large_error";
      case 429 -> "overloaded_error";
      case 503 -> "unavailable_error";
      case 504 -> "timeout_error";
      default -> status < 500 ? "invalid_request_error" : "server_error";
    };
  }

  private static String pythonType(int status) {
    return switch (status) {
      case 401 -> "AuthenticationError";
      case 404 -> "NotFoundError";
      case 429 -> "TooManyRequestsError";
      case 503, 504 -> "ServiceUnavailableError";
      default -> status < 500 ? "BadRequestError" : "InternalServerError";
    };
  }

  private static String embeddingsType(int status) {
    return switch (status) {
      case 400 -> "Empty";
      case 413 -> "Validation";
      case 422 -> "Tokenizer";
      case 429 -> "Overloaded";
      case 503, 504 -> "Unhealthy";
      default -> status < 500 ? "Validation" : "Backend";
    };
  }
}
