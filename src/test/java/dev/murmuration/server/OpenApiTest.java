package dev.murmuration.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The OpenAPI file says what the server does: its routes, and the shapes of the contracts. */
@Tag("unit")
class OpenApiTest {
  private static final SchemaRegistry REGISTRY =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

  private final JsonNode description;
  private final Map<String, Schema> schemas = new HashMap<>();

  OpenApiTest() throws IOException {
    description = Client.JSON.readTree(Page.description());
  }

  @Test
  void itNamesAllRoutesAndNoOthers() {
    assertThat(description.get("paths").fieldNames())
        .toIterable()
        .containsExactlyInAnyOrderElementsOf(Routes.paths().toList());
  }

  @Test
  void theContractsHaveTheShapesThatItDescribes() throws IOException {
    for (ContractTest.Exchange exchange : ContractTest.exchanges().toList()) {
      JsonNode route = description.get("paths").get(exchange.path()).get("post");
      JsonNode answers = route.get("responses").get(String.valueOf(exchange.status()));
      assertThat(answers).as(exchange + " " + exchange.status()).isNotNull();
      assertThat(errors(answers, exchange.answer())).as("the answer of " + exchange).isEmpty();
      if (exchange.status() == 200) {
        assertThat(errors(route.get("requestBody"), exchange.request()))
            .as("the request of " + exchange)
            .isEmpty();
      }
    }
  }

  private List<Error> errors(JsonNode body, JsonNode value) {
    JsonNode schema = body.get("content").get("application/json").get("schema");
    return schemas.computeIfAbsent(schema.toString(), _ -> schema(schema)).validate(value);
  }

  /** With the components that it may refer to. */
  private Schema schema(JsonNode schema) {
    ObjectNode whole = Client.JSON.createObjectNode();
    whole.set("components", description.get("components"));
    whole.putArray("allOf").add(schema);
    return REGISTRY.getSchema(whole);
  }
}
