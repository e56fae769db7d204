# SPDX-License-Identifier: GPL-3.0-or-later
#
# Run directory to plain columns for gnuplot, one pass and no more memory than the thinned curves need:
#   awk -f prepare.awk -v out=FOLDER flattened-summary truth.csv
# writes into FOLDER (time in the unit of the axis everywhere)
#   run.gp         title, units, names, shaded spans, as gnuplot assignments
#   QUANTITY.dat   one block per host, of error_s bound_s frequency_ppm drift_ppm residual_ppm poll
#   clients.dat    one block per client, at most CLIENTS_MAX: error_s
#   spread.dat     time, then of the clients' errors: median, 2.5 %, 97.5 %, and of their distances from that
#                  median: median, 95 %, largest (s)
#   strips.dat     from, to, row, colour: state, stratum and reach of each host as coloured bars
#   labels.dat     middle, row, text: the strata
# A thinned curve keeps the least and the greatest value of every bin, so no spike is lost.

BEGIN {
    FS = "\t"
    HOST_BINS = 380
    CLIENT_BINS = 120
    CLIENTS_MAX = 40
    HOSTS_MAX = 8
    # State numbers and names, in the order of enum system_state.
    split("unsynchronised synchronised holdover panic down", state_names, " ")
    for (i in state_names) {
        state_number[state_names[i]] = i - 1
    }
    split("0xd55e00 0x009e73 0xe69f00 0xcc79a7 0xbbbbbb", state_colour, " ")
}

# The summary.

FNR == NR {
    split($1, step, ".")
    if (step[1] == "nodes" && step[3] == "name") {
        node_name[step[2] + 0] = $2
        node_count = step[2] + 1
    } else if (step[1] == "nodes" && step[3] == "kind") {
        node_kind[step[2] + 0] = $2
    } else if (step[1] == "timeline") {
        timeline[step[2] + 0, step[3]] = $2
        timeline_count = step[2] + 1
    } else if ($1 == "title") {
        title = $2
    } else if ($1 == "seed") {
        seed = $2
    } else if ($1 == "simulated_s") {
        duration_s = $2 + 0
    }
    next
}

# truth.csv

FNR == 1 {
    begin_truth()
    FS = ","
    $0 = $0
    if ($1 != "time_s" || $2 != "node" || $3 != "quantity" || $4 != "value") {
        print "truth.csv:1: expected time_s,node,quantity,value" > "/dev/stderr"
        failed = 1
        exit 1
    }
    next
}

NF != 4 {
    print "truth.csv:" FNR ": expected four columns" > "/dev/stderr"
    failed = 1
    exit 1
}

{
    if ($2 in host) {
        if ($3 in strip_row) {
            strip($2, $3, $4, $1 / unit_s)
        } else if ($3 in curve) {
            thin($2, $3, $4, $1 / unit_s, HOST_BINS)
        }
        if ($3 == "frequency_ppm") {
            frequency[$2] = $4
        } else if ($3 == "drift_ppm" && $4 ~ /^[-+.0-9]/) {
            thin($2, "residual_ppm", $4 + frequency[$2], $1 / unit_s, HOST_BINS)
        }
    } else if ($3 == "error_s" && ($2 in client)) {
        if ($1 != instant) {
            spread()
            instant = $1
        }
        errors[++error_count] = $4 + 0
        if (client[$2] <= CLIENTS_MAX) {
            thin($2, $3, $4, $1 / unit_s, CLIENT_BINS)
        }
    }
}

END {
    if (failed) {
        exit 1
    }
    if (!began) {
        print "truth.csv: empty" > "/dev/stderr"
        exit 1
    }
    spread()
    finish()
}

function begin_truth(    i) {
    began = 1
    unit_s = duration_s >= 2 * 86400 ? 86400 : duration_s >= 7200 ? 3600 : 60
    unit = unit_s == 86400 ? "days" : unit_s == 3600 ? "hours" : "minutes"
    span = duration_s / unit_s
    for (i = 0; i < node_count; i++) {
        if (node_kind[i] == "host" && ++hosts_in_all <= HOSTS_MAX) {
            host[node_name[i]] = ++host_count
            host_name[host_count] = node_name[i]
        } else if (node_kind[i] == "client") {
            client[node_name[i]] = ++client_count
            client_name[client_count] = node_name[i]
        }
    }
    strip_row["state"] = 2
    strip_row["stratum"] = 1
    strip_row["reach"] = 0
    split("error_s bound_s frequency_ppm drift_ppm residual_ppm poll", curve_name, " ")
    for (i in curve_name) {
        curve[curve_name[i]] = 1
    }
    spread_bin = span / HOST_BINS
}

# Thinning: the least and the greatest of each bin, in the order in which they came. A value that is no finite
# number breaks the curve.
function thin(node, quantity, value, t, bins,    key, bin) {
    key = node SUBSEP quantity
    bin = int(t / span * bins)
    if (value !~ /^[-+.0-9]/) {
        flush_bin(key)
        if (points[key] !~ /\n\n$/) {
            points[key] = points[key] "\n"
        }
        return
    }
    value += 0
    if (!(key in bin_of) || bin_of[key] != bin) {
        flush_bin(key)
        bin_of[key] = bin
        least[key] = greatest[key] = value
        least_at[key] = greatest_at[key] = t
    } else if (value < least[key]) {
        least[key] = value
        least_at[key] = t
    } else if (value > greatest[key]) {
        greatest[key] = value
        greatest_at[key] = t
    }
}

function flush_bin(key,    low, high) {
    if (!(key in bin_of)) {
        return
    }
    low = sprintf("%.6g %.6g\n", least_at[key], least[key])
    high = sprintf("%.6g %.6g\n", greatest_at[key], greatest[key])
    if (least_at[key] == greatest_at[key]) {
        points[key] = points[key] low
    } else if (least_at[key] < greatest_at[key]) {
        points[key] = points[key] low high
    } else {
        points[key] = points[key] high low
    }
    delete bin_of[key]
}

# Runs of equal values become bars.
function strip(node, quantity, value, t,    key) {
    key = node SUBSEP quantity
    if (quantity == "state" && (value in state_number)) {
        value = state_number[value]
    }
    if (quantity == "reach") {
        value = bits(value)
    }
    if (!(key in strip_value)) {
        strip_from[key] = t
    } else if (strip_value[key] != value) {
        bar(node, quantity, key, t)
        strip_from[key] = t
    }
    strip_value[key] = value
    strip_to[key] = t
}

# How many of the last eight polls were answered, from the register.
function bits(value,    count) {
    for (value = int(value); value > 0; value = int(value / 2)) {
        count += value % 2
    }
    return count + 0
}

function bar(node, quantity, key, to,    row, value, shade) {
    row = 4 * (host_count - host[node]) + strip_row[quantity]
    value = strip_value[key]
    if (quantity == "state") {
        shade = value ~ /^[0-4]$/ ? state_colour[value + 1] : state_colour[5]
    } else if (value !~ /^[0-9]/) {
        shade = state_colour[5]
    } else if (quantity == "stratum") {
        # Pale to deep blue with the stratum; 16, no time at all, is the colour of "unsynchronised".
        shade = value >= 16 ? state_colour[1] : sprintf("0x%02x%02x%02x", 225 - 20 * value, 238 - 14 * value, 250 - 6 * value)
        if (to - strip_from[key] > span / 60) {
            printf "%.6g %g %s\n", (strip_from[key] + to) / 2, row, value > out "/labels.dat"
        }
    } else {
        # Eight answers white-ish, none black.
        shade = sprintf("0x%02x%02x%02x", 30 + 26 * value, 30 + 26 * value, 30 + 26 * value)
    }
    printf "%.7g %.7g %g %s\n", strip_from[key], to, row, shade > out "/strips.dat"
}

# One instant's clients.
function spread(    n, i, middle, low, high) {
    n = error_count
    error_count = 0
    if (n == 0) {
        return
    }
    sort_errors(1, n)
    middle = quantile(n, 0.5)
    low = quantile(n, 0.025)
    high = quantile(n, 0.975)
    for (i = 1; i <= n; i++) {
        errors[i] = errors[i] < middle ? middle - errors[i] : errors[i] - middle
    }
    sort_errors(1, n)
    spread_row(instant / unit_s, middle, low, high, quantile(n, 0.5), quantile(n, 0.95), errors[n])
}

# Each bin shows its worst instant: the one in which the clients were furthest apart.
function spread_row(t, middle, low, high, typical, most, all,    bin) {
    bin = int(t / spread_bin)
    if (spread_text != "" && bin != spread_last) {
        printf "%s", spread_text > out "/spread.dat"
        spread_text = ""
    }
    if (spread_text == "" || all > spread_all) {
        spread_all = all
        spread_text = sprintf("%.6g %.6g %.6g %.6g %.6g %.6g %.6g\n", t, middle, low, high, typical, most, all)
    }
    spread_last = bin
}

function quantile(n, p,    x, i) {
    x = 1 + (n - 1) * p
    i = int(x)
    return i >= n ? errors[n] : errors[i] + (x - i) * (errors[i + 1] - errors[i])
}

function sort_errors(low, high,    i, j, pivot, swap) {
    while (low < high) {
        pivot = errors[int((low + high) / 2)]
        i = low
        j = high
        while (i <= j) {
            while (errors[i] < pivot) {
                i++
            }
            while (errors[j] > pivot) {
                j--
            }
            if (i <= j) {
                swap = errors[i]
                errors[i++] = errors[j]
                errors[j--] = swap
            }
        }
        # The smaller part by recursion, the larger by the loop: the depth stays logarithmic.
        if (j - low < high - i) {
            sort_errors(low, j)
            low = i
        } else {
            sort_errors(i, high)
            high = j
        }
    }
}

function block(file, node, quantity,    key) {
    key = node SUBSEP quantity
    flush_bin(key)
    # An empty block would shift the numbers of those behind it.
    printf "%s\n\n", points[key] ~ /[0-9]/ ? points[key] : "0 NaN\n" > file
    delete points[key]
}

function finish(    i, key, quantity, run_file) {
    printf "%s", spread_text > out "/spread.dat"
    printf "" > out "/labels.dat"
    printf "" > out "/strips.dat"
    for (i = 1; i <= host_count; i++) {
        for (quantity in strip_row) {
            key = host_name[i] SUBSEP quantity
            if (key in strip_value) {
                bar(host_name[i], quantity, key, strip_to[key])
            }
        }
        for (quantity in curve) {
            block(out "/" quantity ".dat", host_name[i], quantity)
        }
    }
    for (i = 1; i <= client_count && i <= CLIENTS_MAX; i++) {
        block(out "/clients.dat", client_name[i], "error_s")
    }
    run_file = out "/run.gp"
    print "run_title = " quoted(title == "" ? "Untitled run" : title) > run_file
    print "run_seed = " quoted(seed) > run_file
    print "run_unit = " quoted(unit) > run_file
    printf "run_span = %.9g\n", span > run_file
    print "run_hosts = " host_count + 0 > run_file
    print "run_hosts_in_all = " hosts_in_all + 0 > run_file
    print "run_clients = " client_count + 0 > run_file
    print "run_clients_drawn = " (client_count > CLIENTS_MAX ? CLIENTS_MAX : client_count + 0) > run_file
    print "array run_host[" (host_count > 0 ? host_count : 1) "]" > run_file
    for (i = 1; i <= host_count; i++) {
        print "run_host[" i "] = " quoted(host_name[i]) > run_file
    }
    shade_faults(run_file)
}

# Every fault that lasted is shaded.
function shade_faults(run_file,    i, from, to, n, texts) {
    for (i = 0; i < timeline_count; i++) {
        if ((i, "until_s") in timeline) {
            from = timeline[i, "time_s"] / unit_s
            to = timeline[i, "until_s"] / unit_s
            printf "set object %d rectangle from first %.9g, graph 0 to first %.9g, graph 1 behind fillcolor rgb SHADE fillstyle solid noborder\n",
                ++n, from, (to < span ? to : span) > run_file
            texts = texts (n > 1 ? "; " : "") timeline[i, "text"]
        }
    }
    print "run_shaded = " quoted(texts) > run_file
}

function quoted(text) {
    gsub(/'/, "''", text)
    return "'" text "'"
}
