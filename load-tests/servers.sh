# Sourced by the commands beside it: starts the service (with embedded PostgreSQL, Redis and Kafka) and, where asked for,
# the bare server, and stops both at the end. JAVA and FLAGS choose the JVM and its flags.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
java=${JAVA:-java}
jar=${JAR:-target/config-service.jar}
flags="@conf/jvm.options ${FLAGS:--Xms1g -Xmx1g}"
work=$(mktemp -d)
api=http://127.0.0.1:18082/api/v1
limit_url=http://127.0.0.1:18083
admin='Authorization: ApiKey admin-key'
started=()

stop() {
  for pid in "${started[@]}"; do
    kill "$pid" 2>/dev/null || true
  done
  for pid in "${started[@]}"; do
    wait "$pid" 2>/dev/null || true
  done
  [ -n "${KEEP_LOG:-}" ] && cp "$work"/service.log "$KEEP_LOG"
  rm -rf "$work"
}
trap stop EXIT

build() {
  [ -f "$jar" ] || mvn -q -B package -DskipTests
  [ -f load-tests/target/load-tests.jar ] || mvn -q -B -f load-tests/pom.xml package
}

await() { # url
  for _ in $(seq 1 240); do
    curl -fs -o /dev/null "$1" && return 0
    sleep 0.25
  done
  echo "$1 did not answer:" >&2
  tail -n 40 "$work"/*.log >&2
  return 1
}

start_service() {
  CS_HTTP_PORT=18082 CS_CLUSTER_PORT=15701 CS_EMBEDDED_DIRECTORY="$work/data" CS_EMBEDDED_POSTGRES_PORT=15432 \
    CS_EMBEDDED_REDIS_PORT=16379 CS_EMBEDDED_KAFKA_PORT=19092 CS_EMBEDDED_POSTGRES_PASSWORD=load CS_EMBEDDED_REDIS_PASSWORD=load \
    $java $flags -jar "$jar" --embedded >"$work/service.log" 2>&1 &
  service=$!
  started+=("$service")
  await http://127.0.0.1:18082/ready
}

start_limit() {
  $java $flags -cp load-tests/target/load-tests.jar dev.configservice.load.LimitServer 18083 >"$work/limit.log" 2>&1 &
  limit=$!
  started+=("$limit")
  await "$limit_url/1"
}

machine() { # what is measured with what
  echo "$(nproc) CPUs, $($java -version 2>&1 | head -n 1), $flags"
}
