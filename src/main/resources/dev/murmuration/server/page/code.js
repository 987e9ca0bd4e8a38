// The request as something to paste elsewhere.

import { address, hasKey } from "./api.js";
import { state, link } from "./state.js";

/** What is asked of the server for what the page shows. */
export function request(trace) {
  const body = { prompt: state.prompt, responses: state.responses.map((r) => r.text).filter((text) => text !== "") };
  if (state.model !== null) {
    body.model = state.model;
  }
  if (state.literal) {
    body.literal = true;
  }
  if (trace) {
    body.trace = true;
  }
  return body;
}

const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl() {
  return [
    `curl -s ${shell(address("v1/rewards"))}`,
    ...(hasKey() ? ['  -H "Authorization: Bearer $MURMUR_API_KEY"'] : []),
    "  -H 'Content-Type: application/json'",
    `  -d ${shell(JSON.stringify(request(state.heat)))}`,
  ].join(" \\\n") + "\n";
}

/** A Java string literal; JSON's escapes are Java's, but for those below. */
const literal = (text) =>
  JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

function java() {
  const { prompt, responses } = request(false);
  const options = state.literal ? "RewardModelOptions.defaults().literal(true)" : "";
  const load = embedded
    ? `RewardModel.loadEmbedded(${options})`
    : `RewardModel.load(Path.of("MODEL.gguf")${options && ", " + options})`;
  return `import dev.murmuration.reward.*;
import java.nio.file.Path;
import java.util.List;

void main() throws Exception { // java --enable-native-access=ALL-UNNAMED -cp … Compare.java
  String prompt = ${literal(prompt)};
  List<String> responses =
      List.of(
          ${responses.map(literal).join(",\n          ")});
  try (RewardModel model = ${load}) {
    for (Ranking.Entry entry : model.rank(prompt, responses).entries()) {
      IO.println(entry.rank() + " " + entry.reward().reward() + " " + entry.response());
    }
  }
}
`;
}

let embedded = true;

/** Tells whether the model is the one inside the jar. */
export function setEmbedded(value) {
  embedded = value;
}

/** The forms that can be copied: what is said of each, and its text. */
export const forms = {
  "copy-curl": ["For a shell. The answer has each response's reward, its rank and, with the heat map on, its trace.", curl],
  "copy-json": ["The body of POST /v1/rewards.", () => JSON.stringify(request(state.heat), null, 2) + "\n"],
  "copy-java": ["For the library, without a server.", java],
  "copy-link": ["Opens this page with these texts. They stand behind the #, which browsers do not send to servers.", () => link() + "\n"],
};
