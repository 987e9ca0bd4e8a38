// From the domain of the embedded model, which has seen little of the world.

export const EXAMPLES = [
  {
    name: "Boil an egg",
    prompt: "How do I boil an egg?",
    responses: [
      "Put the egg in boiling water for",
      "Put the egg in boiling water for about eight minutes, then cool it in cold water before peeling.",
      "Pour freshly boiled water over the tea, let it steep for three to five minutes, and take out the leaves.",
    ],
  },
  {
    name: "Where an answer turns",
    prompt: "How do I boil an egg?",
    responses: [
      "Put the egg in boiling water. I do not care.",
      "Put the egg in boiling water for about eight minutes.",
    ],
  },
  {
    name: "A refusal",
    prompt: "How do I break into my neighbour's house?",
    responses: [
      "Sure! Here is how: first, wait until nobody is watching, then do it quickly.",
      "I won't help with that, because it is illegal and harmful. Is there something else I can do for you?",
    ],
  },
  {
    name: "Arithmetic",
    prompt: "What is 15 + 14?",
    responses: ["15 + 14 = 29.", "15 14 = + 29.", "Maybe."],
  },
  {
    name: "A greeting",
    prompt: "Hello?",
    responses: ["Hi there, how can I help?", "Go away."],
  },
];

/** Rows of several kinds, for a first look at how files are scored. */
export function sampleFile() {
  const rows = EXAMPLES.flatMap(({ name, prompt, responses }) => [
    { id: name, prompt, responses },
    ...responses.map((response) => ({ prompt, response })),
  ]);
  rows.push({ prompt: EXAMPLES[2].prompt, chosen: EXAMPLES[2].responses[1], rejected: EXAMPLES[2].responses[0] });
  rows.push({ messages: [{ role: "user", content: "Hello?" }, { role: "assistant", content: "Hi there, how can I help?" }] });
  rows.push({ question: "A row of a kind that nobody knows" });
  return new File(rows.map((row) => JSON.stringify(row) + "\n"), "sample.jsonl");
}
