package dev.murmuration.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Message;
import dev.murmuration.reward.RawText;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A row of each schema, as its data set has it, and the conversations that it means. */
@Tag("unit")
class SchemasTest {
  private static JsonNode json(String text) {
    return RowParser.parse(Row.of(1, text.replace('\'', '"'), "here"));
  }

  /** The example of a row whose schema is recognised by its columns. */
  private static Example read(String schema, String row) {
    JsonNode json = json(row);
    assertThat(Schemas.recognise(json).map(Schema::name)).contains(schema);
    return Schemas.of(schema).read(json);
  }

  /** A conversation as {@code user: …|assistant: …}. */
  private static String said(Input input) {
    return input instanceof Conversation conversation
        ? conversation.messages().stream()
            .map(message -> message.role().label() + ": " + message.content())
            .collect(Collectors.joining("|"))
        : "raw: " + ((RawText) input).text();
  }

  private static List<String> said(Example example) {
    return example.candidates().stream().map(candidate -> said(candidate.input())).toList();
  }

  private static List<String> preferred(Example example) {
    return example.preferences().stream()
        .map(pair -> pair.better() + ">" + pair.worse() + " by " + pair.strength())
        .toList();
  }

  @Test
  void nectar() {
    Example example =
        read(
            "nectar",
            """
            {'prompt': '\\n\\nHuman: Hi\\n\\nAssistant: Hello!\\n\\nHuman: 1+1?\\n\\nAssistant: ',
             'answers': [{'answer': '3', 'model': 'gpt-3.5', 'rank': 3.0},
                         {'answer': '2', 'model': 'gpt-4', 'rank': 1.0},
                         {'answer': 'two', 'model': 'llama', 'rank': 1.0}],
             'turns': 2, 'num_responses': 3, 'source': ['sharegpt', 'other'], 'good_natured': true}
            """);
    assertThat(said(example))
        .containsExactly(
            "user: Hi|assistant: Hello!|user: 1+1?|assistant: 3",
            "user: Hi|assistant: Hello!|user: 1+1?|assistant: 2",
            "user: Hi|assistant: Hello!|user: 1+1?|assistant: two");
    assertThat(preferred(example)).containsExactly("1>0 by 2.0", "2>0 by 2.0");
    assertThat(example.groups()).containsEntry("source", "sharegpt");
    assertThat(example.candidates().get(1).model()).isEqualTo("gpt-4");
  }

  @Test
  void hhRlhf() {
    Example example =
        read(
            "hh-rlhf",
            """
            {'chosen': '\\n\\nHuman: Hi\\n\\nAssistant: Hello\\n\\nHuman: Bye\\n\\nAssistant: See you',
             'rejected': '\\n\\nHuman: Hi\\n\\nAssistant: Hello\\n\\nHuman: Bye\\n\\nAssistant: No'}
            """);
    assertThat(said(example))
        .containsExactly(
            "user: Hi|assistant: Hello|user: Bye|assistant: See you",
            "user: Hi|assistant: Hello|user: Bye|assistant: No");
    assertThat(preferred(example)).containsExactly("0>1 by 1.0");
  }

  /** A mark that does not take its turn is part of what was said. */
  @Test
  void aHumanWhoQuotesTheHumanMarkIsNotCutOff() {
    List<Message> messages = Transcripts.messages("\n\nHuman: a\n\nHuman: b\n\nAssistant: c");
    assertThat(said(new Conversation(messages))).isEqualTo("user: a\n\nHuman: b|assistant: c");
  }

  @Test
  void ultraFeedback() {
    Example example =
        read(
            "ultrafeedback",
            """
            {'source': 'evol', 'instruction': 'Sing', 'models': ['a', 'b'],
             'completions': [
               {'model': 'a', 'response': 'la', 'fine-grained_score': 2.5, 'overall_score': 10.0},
               {'model': 'b', 'response': 'lala', 'fine-grained_score': 4.0, 'overall_score': 7.0}],
             'correct_answers': ['None'], 'incorrect_answers': ['None']}
            """);
    assertThat(said(example))
        .containsExactly("user: Sing|assistant: la", "user: Sing|assistant: lala");
    assertThat(preferred(example)).containsExactly("1>0 by 1.5");
  }

  @Test
  void ultraFeedbackBinarized() {
    Example example =
        read(
            "ultrafeedback_binarized",
            """
            {'prompt': 'Q', 'prompt_id': 'x',
             'chosen': [{'content': 'Q', 'role': 'user'}, {'content': 'A', 'role': 'assistant'}],
             'rejected': [{'content': 'Q', 'role': 'user'}, {'content': 'B', 'role': 'assistant'}],
             'messages': [], 'score_chosen': 8.5, 'score_rejected': 7.0}
            """);
    assertThat(said(example)).containsExactly("user: Q|assistant: A", "user: Q|assistant: B");
    assertThat(preferred(example)).containsExactly("0>1 by 1.5");
    assertThat(example.id()).isEqualTo("x");
  }

  @Test
  void rewardBench() {
    Example example =
        read(
            "rewardbench",
            """
            {'prompt': 'Q', 'chosen': 'A', 'chosen_model': 'm1', 'rejected': 'B',
             'rejected_model': 'm2', 'subset': 'alpacaeval-easy', 'id': 17}
            """);
    assertThat(said(example)).containsExactly("user: Q|assistant: A", "user: Q|assistant: B");
    assertThat(preferred(example)).containsExactly("0>1 by 1.0");
    assertThat(example.groups()).containsEntry("subset", "alpacaeval-easy");
    assertThat(example.id()).isEqualTo("17");
    assertThat(example.candidates().get(1).model()).isEqualTo("m2");
  }

  @Test
  void rewardBench2() {
    Example example =
        read(
            "rewardbench2",
            """
            {'id': 'tied:3', 'prompt': 'A colour?', 'chosen': ['Red', 'Blue'], 'rejected': ['Dog'],
             'num_correct': 2, 'num_incorrect': 1, 'total_completions': 3, 'models': ['a'],
             'subset': 'Ties'}
            """);
    assertThat(said(example))
        .containsExactly(
            "user: A colour?|assistant: Red",
            "user: A colour?|assistant: Blue",
            "user: A colour?|assistant: Dog");
    assertThat(preferred(example)).containsExactly("0>2 by 1.0", "1>2 by 1.0");
    assertThat(example.groups()).containsEntry("subset", "Ties");
  }

  @Test
  void rmBench() {
    Example example =
        read(
            "rm-bench",
            """
            {'id': 'm1', 'prompt': 'Q', 'chosen': ['c', 'd', 'm'], 'rejected': ['x', 'y', 'z'],
             'domain': 'math'}
            """);
    assertThat(example.candidates().stream().map(Candidate::style))
        .containsExactly("concise", "detailed", "markdown", "concise", "detailed", "markdown");
    assertThat(example.preferences()).hasSize(9).allMatch(p -> p.better() < 3 && p.worse() >= 3);
    assertThat(example.groups()).containsEntry("domain", "math");
    assertThatThrownBy(
            () ->
                Schemas.of("rm-bench")
                    .read(
                        json("{'prompt': 'Q', 'chosen': ['c'], 'rejected': ['x'], 'domain': 'd'}")))
        .hasMessageContaining("1 chosen and 1 rejected responses, expected 3 each");
  }

  @ParameterizedTest
  @CsvSource({"A>B, 0>1 by 1.0", "B>A, 1>0 by 1.0"})
  void judgeBench(String label, String expected) {
    Example example =
        read(
            "judgebench",
            "{'pair_id': 'p', 'original_id': 'o', 'source': 'mmlu', 'question': 'Q',"
                + " 'response_model': 'm', 'response_A': 'a', 'response_B': 'b', 'label': '"
                + label
                + "'}");
    assertThat(said(example)).containsExactly("user: Q|assistant: a", "user: Q|assistant: b");
    assertThat(preferred(example)).containsExactly(expected);
  }

  /** Negative numbers say that the first response is better. */
  @ParameterizedTest
  @CsvSource({"-2, 0>1 by 2.0", "3, 1>0 by 3.0", "0, ''"})
  void helpSteer2(int strength, String expected) {
    Example example =
        read(
            "helpsteer2",
            "{'split': 'train', 'prompt': 'Hi\\n"
                + "<extra_id_1>Assistant\\n"
                + "Ho\\n"
                + "<extra_id_1>User\\n"
                + "Hu', 'response_1': 'a', 'response_2': 'b', 'preference_strength': "
                + strength
                + "}");
    assertThat(said(example).getFirst()).isEqualTo("user: Hi|assistant: Ho|user: Hu|assistant: a");
    assertThat(String.join(",", preferred(example))).isEqualTo(expected);
    assertThat(example.groups().get("strength"))
        .isEqualTo(strength == 0 ? null : strength == 3 ? "3 much better" : "2 better");
  }

  @Test
  void helpSteer3() {
    Example example =
        read(
            "helpsteer3",
            """
            {'domain': 'code', 'language': 'java', 'context': [{'role': 'user', 'content': 'Q'}],
             'response1': 'a', 'response2': 'b', 'overall_preference': 1}
            """);
    assertThat(said(example)).containsExactly("user: Q|assistant: a", "user: Q|assistant: b");
    assertThat(preferred(example)).containsExactly("1>0 by 1.0");
    assertThat(example.groups()).containsEntry("domain", "code").containsEntry("language", "java");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{'prompt': 'Q', 'chosen': 'A', 'rejected': 'B'}",
        "{'prompt': [{'role': 'user', 'content': 'Q'}], 'chosen': [{'role': 'assistant', 'content':"
            + " 'A'}], 'rejected': [{'role': 'assistant', 'content': 'B'}]}",
        "{'chosen': [{'role': 'user', 'content': 'Q'}, {'role': 'assistant', 'content': 'A'}],"
            + " 'rejected': [{'role': 'user', 'content': 'Q'}, {'role': 'assistant', 'content':"
            + " 'B'}]}"
      },
      quoteCharacter = '`')
  void preferencesOfTrl(String row) {
    Example example = read("preference", row);
    assertThat(said(example)).containsExactly("user: Q|assistant: A", "user: Q|assistant: B");
    assertThat(preferred(example)).containsExactly("0>1 by 1.0");
    assertThat(example.prompt()).isEqualTo("user\nQ\n");
  }

  @Test
  void preferencesWithoutPromptAreTexts() {
    assertThat(said(read("preference", "{'chosen': 'A', 'rejected': 'B'}")))
        .containsExactly("raw: A", "raw: B");
  }

  @Test
  void plainRows() {
    assertThat(said(read("response", "{'prompt': 'Q', 'response': 'A', 'other': 1}")))
        .containsExactly("user: Q|assistant: A");
    assertThat(said(read("responses", "{'prompt': 'Q', 'responses': ['A', '']}")))
        .containsExactly("user: Q|assistant: A", "user: Q|assistant: ");
    assertThat(said(read("text", "{'text': 'as it stands'}"))).containsExactly("raw: as it stands");
    assertThat(
            said(
                read(
                    "messages",
                    """
                    {'messages': [{'role': 'system', 'content': 'S'}, {'role': 'user', 'content': 'Q'},
                                  {'role': 'assistant', 'content': 'A'}]}
                    """)))
        .containsExactly("system: S|user: Q|assistant: A");
  }

  /** A cell of CSV, or a column of Parquet that was made of JSON, may hold a list as its text. */
  @Test
  void listsMayBeWrittenAsText() {
    assertThat(
            said(
                read(
                    "responses",
                    "{'prompt': 'Q', 'responses': '[\\'A\\', \\'B\\']'}".replace("\\'", "\\\""))))
        .containsExactly("user: Q|assistant: A", "user: Q|assistant: B");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "response; {'prompt': 'Q', 'response': 7}; column \"response\" holds 7, expected a string",
        "response; {'prompt': 'Q'}; column \"response\" is missing",
        "response; {'prompt': null, 'response': 'A'}; column \"prompt\" is missing",
        "responses; {'prompt': 'Q', 'responses': []}; \"responses\" is empty",
        "responses; {'prompt': 'Q', 'responses': [1]}; holds 1, expected an array of strings",
        "responses; {'prompt': 'Q', 'responses': 'x'}; holds \"x\", expected an array",
        "nectar; {'prompt': 'Q', 'answers': []}; does not begin with \"\\n\\nHuman:\"",
        "judgebench; {'question': 'Q', 'response_A': 'a', 'response_B': 'b', 'label': 'A=B'};"
            + " expected \"A>B\" or \"B>A\"",
        "helpsteer3; {'context': [{'role': 'user', 'content': 'Q'}], 'response1': 'a', 'response2':"
            + " 'b', 'overall_preference': 'x'}; expected a number",
        "messages; {'messages': [{'role': 'user', 'content': 'Q'}]}; no response",
        "messages; {'messages': [{'role': 'tool', 'content': 'Q'}]}; tool"
      },
      quoteCharacter = '`')
  void wrongRowsAreRefusedByName(String schema, String row, String expected) {
    assertThatThrownBy(() -> Schemas.of(schema).read(json(row)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(expected);
  }

  @Test
  void anUnknownSchemaIsRefusedWithTheList() {
    assertThatThrownBy(() -> Schemas.of("nektar"))
        .hasMessageContaining("no schema 'nektar'; there are nectar, ultrafeedback,");
    assertThat(Schemas.recognise(json("{'question': 'Q', 'answer': 'A'}"))).isEmpty();
  }
}
