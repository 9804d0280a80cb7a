#!/usr/bin/env bash
# Claim: includes go one way (base <- economics <- broker; base <- proto <- {broker, peer}), and each foreign header is
# seen in its one home alone. Usage: layers.sh SOURCE-DIRECTORY
set -euo pipefail
. "$(dirname "$0")/support/files.sh"
source=${1:?usage: layers.sh SOURCE-DIRECTORY}

# Whose headers a folder may include, itself among them. A test may see what the code it tests may.
reach_of() { # FOLDER
    case $1 in
    base) echo base ;;
    economics) echo base economics ;;
    proto) echo base proto ;;
    broker) echo base economics proto broker ;;
    peer) echo base proto peer ;;
    configs) echo base configs ;;
    *) ;;
    esac
}

# Where a foreign header may be included: extended regular expressions of paths. Nothing: anywhere.
home_of() { # HEADER
    case $1 in
    glpk.h) echo '^(economics/lp|tests/economics)/' ;;
    grpc/*) echo '^(proto/rpc|tests/proto)/' ;;
    openssl/*) echo '^(proto/identity/|tests/proto/|tests/fuzz/(fuzz|seed)_identity)' ;;
    *.pb-c.h | protobuf-c/*) echo '^(proto/wire|tests/proto)/' ;;
    sqlite3.h) echo '^((broker/store|tests/broker)/|(peer/|tests/peer/test_)spool|economics/experiments/results_database|tests/support/preload)' ;;
    seccomp.h) echo '^peer/executor/system_calls' ;;
    libpq-fe.h) echo '^(broker/store|tests/broker)/' ;;
    cyaml/* | yaml.h) echo '^(base/|tests/base/test_)yaml' ;;
    yajl/*) echo '^(base/|tests/base/test_)json_stream' ;;
    jansson.h) echo '^(base/|tests/base/test_)json' ;;
    microhttpd.h) echo '^broker/http/' ;;
    gsl/*) echo '^(economics/throughput|tests/economics)/' ;;
    *) ;;
    esac
}

failures=0
refuse() {
    echo "$1" >&2
    failures=$((failures + 1))
}

check_foreign() { # FILE LINE HEADER
    local home
    home=$(home_of "$3")
    if [ -n "$home" ] && ! [[ $1 =~ $home ]]; then
        refuse "$1:$2: <$3> is included outside its home $home: use that module's header instead"
    fi
}

check_own() { # FILE LINE HEADER
    local folder=${1%%/*} target=${3%%/*} reach
    case $folder/$target in
    tests/tests) return ;;
    tests/*)
        folder=${1#tests/}
        folder=${folder%%/*}
        case $folder in # these hold whole federations together
        sim | scenarios | bench | fuzz) reach="base economics proto broker peer" ;;
        support) reach=base ;;
        *) reach=$(reach_of "$folder") ;;
        esac
        ;;
    *) reach=$(reach_of "$folder") ;;
    esac
    if [[ " $reach " != *" $target "* ]]; then
        refuse "$1:$2: \"$3\" is out of reach of $folder/: it may include ${reach:-nothing}, each by its path from the root"
    fi
}

mapfile -t files < <(own_files "$source")
require_files "$source" "${#files[@]}"
include='^[[:space:]]*#[[:space:]]*include[[:space:]]*([<"])([^>"]+)[>"]'
while IFS=: read -r file line text; do
    if ! [[ $text =~ $include ]]; then
        refuse "$file:$line: an include must name its header: $text"
    elif [ "${BASH_REMATCH[1]}" = '"' ] && [[ ${BASH_REMATCH[2]} != *.pb-c.h ]]; then
        check_own "$file" "$line" "${BASH_REMATCH[2]}"
    else
        check_foreign "$file" "$line" "${BASH_REMATCH[2]}"
    fi
done < <(cd "$source" && grep -HnE '^[[:space:]]*#[[:space:]]*include' "${files[@]}")

if [ "$failures" -gt 0 ]; then
    echo "layers: $failures includes refused (ARCHITECTURE.md, The map)" >&2
    exit 1
fi
echo "layers: ${#files[@]} files keep to their layers"
