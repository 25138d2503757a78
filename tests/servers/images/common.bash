# What the scripts that make images share; sourced. The repository is the working folder from here on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
images=tests/servers/images
[ -n "${PYTHON:-}" ] || PYTHON=$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)

has() { docker image inspect "$1" >/dev/null 2>&1; }

# Makes a folder to build from, $context, that is gone when the script ends.
open_context() {
    context=$(mktemp -d)
    trap 'rm -rf "$context"' EXIT
}

# build IMAGE: from $context, whose Dockerfile comes on stdin.
build() {
    cat >"$context/Dockerfile"
    # The old builder: Debian's docker.io comes without buildx.
    DOCKER_BUILDKIT=0 docker build -q -t "$1" "$context" >"$context/log" 2>&1 || { tail -n 5 "$context/log" >&2; exit 1; }
}
