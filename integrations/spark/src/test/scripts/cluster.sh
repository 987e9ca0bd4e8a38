#!/usr/bin/env bash
# Runs Spark as clusters run it, on this machine: a standalone master, two workers, executors that get the jars and
# nothing else. Spark's own bin/spark-submit is a shell script around the class that is called here, because Maven Central has
# the classes and not the scripts.
#
#   cluster.sh check [ROWS]   rewards of local[2], of two workers, and of two workers of which one executor is killed in the
#                             middle, beside those of scoreAll. Default: 100000 rows
#   cluster.sh scale [ROWS]   rows a second of one executor and of two, of one thread each, in turns. Default: 12000 rows
#   cluster.sh functions [ROWS]   rows a second of the stage and of the SQL function on local[2], in turns. Default: 4000 rows
#
# Needs "mvn install -DskipTests" and "mvn -f integrations package" (the jars, and target/classpath.txt).
set -euo pipefail
cd "$(dirname "$0")/../../.."

# A JDK 25: that of JAVA_HOME, or the one that the launcher finds.
if ! grep -q 'JAVA_VERSION="\(2[5-9]\|[3-9]\)' "${JAVA_HOME:-/none}/release" 2>/dev/null; then
  JAVA_HOME=$(MURMUR_JAVA_OPTS=-XshowSettings:properties ../../murmur --version 2>&1 | sed -n 's/^ *java\.home = //p')
fi
export JAVA_HOME
# What bin/load-spark-env.sh says, and that nothing leaves this machine.
export SPARK_SCALA_VERSION=2.13 SPARK_LOCAL_IP=127.0.0.1 SPARK_LOCAL_HOSTNAME=127.0.0.1

work=$(mktemp -d "${TMPDIR:-/tmp}/murmuration-spark.XXXXXX")
pids=()
finish() {
  for pid in "${pids[@]}"; do
    # A worker ends its executors.
    kill "$pid" 2>/dev/null || true
  done
  for pid in "${pids[@]}"; do
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap finish EXIT

# ---- a home of Spark, made of the jars of Maven Central, and Murmuration's jars beside it ----

export SPARK_HOME=$work/spark
mkdir -p "$SPARK_HOME/jars" "$work/log"
murmuration=()
while read -r jar; do
  case $jar in
    */dev/murmuration/*) murmuration+=("$jar") ;;
    *) ln -s "$jar" "$SPARK_HOME/jars/" ;;
  esac
done < <(tr ':' '\n' < target/classpath.txt)
app=$(echo target/murmuration-spark-*.jar)
case $app in
  *' '*) app=$(printf '%s\n' target/murmuration-spark-*.jar | grep -v -e -sources -e -javadoc) ;;
esac
# This machine's native libraries, as an application has murmuration-natives.
murmuration+=("$app" ../../target/lib/murmuration-natives.jar)
jars=$(IFS=, && echo "${murmuration[*]}")
"$JAVA_HOME/bin/jar" --create --file "$work/check.jar" -C target/test-classes dev
cat > "$work/log4j2.properties" <<END
rootLogger.level = info
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{HH:mm:ss.SSS} %p %c{1}: %m%n%ex
END

# What bin/spark-class does: Spark's launcher makes the command, which is then run.
spark() {
  local command=()
  { read -r _ && mapfile -d '' -t command; } < <(
    "$JAVA_HOME/bin/java" -cp "$SPARK_HOME/jars/*" org.apache.spark.launcher.Main "$@" && printf '\0')
  # Behind the command is an empty word, if the launcher has not failed.
  [ ${#command[@]} -gt 1 ] || exit 1
  exec "${pin[@]}" "${command[@]:0:${#command[@]}-1}"
}

submit() {
  spark org.apache.spark.deploy.SparkSubmit --conf spark.ui.enabled=false \
    --conf "spark.driver.extraJavaOptions=-Dlog4j2.configurationFile=file:$work/log4j2.properties" \
    --conf spark.sql.files.maxPartitionBytes=1m --conf spark.driver.bindAddress=127.0.0.1 \
    --conf spark.network.timeout=600s --jars "$jars" "$@"
}

# The programs of the tests.
program() {
  local master=$1
  shift
  submit --master "$master" --conf spark.driver.host=127.0.0.1 --driver-memory 2g "${cluster[@]}" \
    --class dev.murmuration.spark.ClusterCheck "$work/check.jar" "$@"
}

score() {
  local master=$1 output=$2
  submit --master "$master" --conf spark.driver.host=127.0.0.1 "${cluster[@]}" \
    --class dev.murmuration.spark.ScoreParquet "$app" \
    --input "$work/answers" --output "$output" --model embedded --precision exact --threads "$threads"
}

# Waits until a command succeeds, and gives up after three minutes, or when a process has ended.
await() {
  local pid=$1
  shift
  for ((i = 0; i < 1800; i++)); do
    if "$@"; then
      return
    fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "cluster.sh: this did not come true: $*" >&2
  tail -n 30 "$work"/log/* >&2
  return 1
}

start() {
  local name=$1
  shift
  (spark "$@") > "$work/log/$name" 2>&1 &
  pids+=($!)
}

start_cluster() {
  # A busy machine may be late with heartbeats.
  export SPARK_DAEMON_JAVA_OPTS="-Dspark.worker.timeout=600 -Dlog4j2.configurationFile=file:$work/log4j2.properties"
  export SPARK_DAEMON_MEMORY=256m
  start master org.apache.spark.deploy.master.Master --host 127.0.0.1 --port 0 --webui-port 0
  await "${pids[0]}" grep -qs 'Starting Spark master at spark://' "$work/log/master"
  master=$(sed -n 's/.*Starting Spark master at \(spark:[^ ]*\).*/\1/p' "$work/log/master")
  for worker in 1 2; do
    pin=("${on_core[@]/CORE/$((worker - 1))}")
    start "worker-$worker" org.apache.spark.deploy.worker.Worker --host 127.0.0.1 --port 0 --webui-port 0 \
      --cores 1 --memory 1g --work-dir "$work/worker-$worker" "$master"
  done
  pin=()
  for worker in 1 2; do
    await "${pids[$worker]}" grep -qs 'Successfully registered with master' "$work/log/worker-$worker"
  done
}

run() {
  local name=$1
  shift
  ("$@") > "$work/log/$name" 2>&1 || { tail -n 60 "$work/log/$name" >&2; return 1; }
}

cluster=()
on_core=()
pin=()
on_cluster=(--executor-memory 768m --executor-cores 1)
rows=${2:-}

committed() {
  [ "$(find "$work/killed/_temporary" -maxdepth 2 -name 'task_*' 2>/dev/null | wc -l)" -ge 4 ]
}

has_executor() {
  executor=$(pgrep -P "${pids[1]}" -f CoarseGrainedExecutorBackend | head -n 1)
  [ -n "$executor" ]
}

check() {
  run make program 'local[2]' make "${rows:-100000}" 12 "$work/answers" "$work/rewards"
  threads=2
  SECONDS=0
  run local score 'local[2]' "$work/local"
  echo "local[2]: $SECONDS s"

  start_cluster
  cluster=("${on_cluster[@]}")
  threads=1
  SECONDS=0
  run workers score "$master" "$work/workers"
  echo "two workers: $SECONDS s"

  SECONDS=0
  (score "$master" "$work/killed") > "$work/log/killed" 2>&1 &
  local job=$!
  await "$job" committed
  await "$job" has_executor
  kill -KILL "$executor"
  wait "$job" || { tail -n 60 "$work/log/killed" >&2; return 1; }
  grep -q 'Lost executor' "$work/log/killed" || { echo "the driver has not noticed that an executor was killed" >&2; return 1; }
  echo "two workers, one executor killed when four of 40 tasks were done: $SECONDS s"

  cluster=()
  run check program 'local[2]' check "$work/rewards" "$work/local" "$work/workers" "$work/killed"
  grep 'bit by bit' "$work/log/check"
}

scale() {
  run make program 'local[2]' make "${rows:-12000}" 240 "$work/answers"
  # Each executor has a processor of its own, as a cluster would give it: with two of them to itself, one executor would tokenize on
  # the one and compute on the other.
  on_core=(taskset --cpu-list CORE)
  start_cluster
  for executors in 1 2 2 1; do
    cluster=("${on_cluster[@]}" --total-executor-cores "$executors")
    run "rate-$executors" program "$master" rate "$work/answers" "$executors"
    grep 'rows/s' "$work/log/rate-$executors"
  done
}

functions() {
  run make program 'local[2]' make "${rows:-4000}" 60 "$work/answers"
  run functions program 'local[2]' functions "$work/answers"
  grep 'rows/s' "$work/log/functions"
}

case ${1:-} in
  check) check ;;
  scale) scale ;;
  functions) functions ;;
  *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
