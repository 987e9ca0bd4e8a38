// Writes texts of all scripts and their token ids by the tokenizer's own JavaScript implementation: a row of JSON each.
//   node encode.mjs FOLDER PACKAGE > rows.jsonl
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, name] = process.argv.slice(2);
const require = createRequire(pathToFileURL(folder + "/"));
const { fromPreTrained } = require(name);
const tokenizer = fromPreTrained();

// Mulberry32, so that every run has the same texts.
let state = 20261126;
function random(below) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % below;
}

const SCRIPTS = ["Adlam", "Arabic", "Armenian", "Balinese", "Bengali", "Bopomofo", "Braille", "Canadian_Aboriginal", "Cherokee",
  "Coptic", "Cuneiform", "Cyrillic", "Deseret", "Devanagari", "Egyptian_Hieroglyphs", "Ethiopic", "Georgian", "Glagolitic", "Gothic",
  "Greek", "Gujarati", "Gurmukhi", "Han", "Hangul", "Hebrew", "Hiragana", "Javanese", "Kannada", "Katakana", "Khmer", "Lao", "Latin",
  "Linear_B", "Malayalam", "Mongolian", "Myanmar", "New_Tai_Lue", "Nko", "Ogham", "Ol_Chiki", "Old_Italic", "Oriya", "Phoenician",
  "Runic", "Samaritan", "Sinhala", "Sundanese", "Syriac", "Tai_Tham", "Tamil", "Telugu", "Thaana", "Thai", "Tibetan", "Tifinagh",
  "Ugaritic", "Vai", "Yi"];

// Digits of Unicode 16: llama.cpp's tables are older, and it would not count three of them to a token as Llama 3 does.
const NEW =
  /[\u{10d40}-\u{10d49}\u{116d0}-\u{116e3}\u{11bf0}-\u{11bf9}\u{16130}-\u{16139}\u{16d70}-\u{16d79}\u{1ccf0}-\u{1ccf9}\u{1e5f1}-\u{1e5fa}]/u;

function characters(pattern) {
  const found = [];
  for (let point = 1; point < 0x20000; point++) {
    const text = String.fromCodePoint(point);
    if (!(point >= 0xd800 && point < 0xe000) && pattern.test(text) && !NEW.test(text)) {
      found.push(text);
    }
  }
  return found;
}

function words(letters, count) {
  const all = [];
  for (let i = 0; i < count; i++) {
    let word = "";
    for (let k = 1 + random(7); k > 0; k--) {
      word += letters[random(letters.length)];
    }
    all.push(word);
  }
  return all;
}

const BETWEEN = [" ", " ", " ", " ", ", ", ". ", "  ", "\n", "\n\n", " - ", "! ", "\t", " 12 ", " 3456 "];

function text(letters) {
  return words(letters, 3 + random(8)).reduce((left, word) => left + BETWEEN[random(BETWEEN.length)] + word);
}

const texts = [];
texts.push("I'M we'LL don't DON'T 'tis o'clock y'all've I'd he'S", "a   b\n\n\n  c \t d\r\n e  \n \n f", " leading", "trailing ", "trailing  ",
  "\n\n\nx", "  \n  x", "1234567 * 89 = 12 3 3.14159 1,000,000", "😀👩‍👩‍👧‍👦🏳️‍🌈 👍🏽 ok", "naïve café Ångström Ω ﬁ 각", "İstanbul ǅ ß ẞ",
  "def f(x):\n    return x ** 2  # ok\n\n\nclass A:\n\tpass", "<html><body class=\"x\">&nbsp;</body></html>", "https://example.org/a?b=c&d=%20",
  "x".repeat(300), " ".repeat(90) + "x", "\n".repeat(70), "=".repeat(120), "ab ".repeat(80), "0".repeat(50), "\u200b\u00a0\u3000\u2028\u0085y",
  "👍🏽".repeat(12), "مرحبا بالعالم، كيف حالك؟", "你好，世界。今天天气怎么样？", "안녕하세요 세계", "こんにちは、世界。カタカナ", "שלום עולם", "Привет, мир! Ёж",
  "नमस्ते दुनिया", "Xin chào thế giới");

for (const script of SCRIPTS) {
  const letters = characters(new RegExp(`^\\p{Script=${script}}$`, "u"));
  for (let i = 0; i < 6; i++) {
    texts.push(text(letters));
  }
}
const ASCII = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,;:!?'\"()[]{}<>|/\\@#$%^&*-_=+~`\n\t"];
for (let i = 0; i < 50; i++) {
  texts.push(words(ASCII, 20).join(i % 2 ? "" : " "));
}
const MIXED = characters(/^[\p{L}\p{N}\p{P}\p{S}\p{M}\p{Zs}]$/u);
for (let i = 0; i < 80; i++) {
  texts.push(text(MIXED));
}
for (const row of texts.slice(0, 500)) {
  console.log(JSON.stringify({ text: row, ids: tokenizer.encode(row, { add_special_tokens: false }) }));
}
