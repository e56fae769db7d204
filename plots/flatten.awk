# SPDX-License-Identifier: GPL-3.0-or-later
#
# JSON to lines "PATH<tab>VALUE": {"nodes":[{"name":"tick"}]} gives "nodes.0.name<tab>tick". Enough for a summary.json:
# strings lose their escapes (a \u escape becomes "?"), and malformed text ends with a message and status 1.

{ text = text $0 "\n" }

END {
    place = 1
    value("")
    blanks()
    if (place <= length(text)) {
        fail("more text after the value")
    }
}

function fail(what) {
    if (!failed) {
        print "summary.json: character " place ": " what > "/dev/stderr"
    }
    failed = 1
    place = length(text) + 1
    exit 1
}

function blanks() {
    while (place <= length(text) && index(" \t\r\n", substr(text, place, 1))) {
        place++
    }
}

function value(path,    c) {
    blanks()
    c = substr(text, place, 1)
    if (c == "{") {
        members(path, "}", 1)
    } else if (c == "[") {
        members(path, "]", 0)
    } else if (c == "\"") {
        print path "\t" string()
    } else {
        print path "\t" scalar()
    }
}

# The members of an object (named) or of an array (numbered), up to the closing bracket.
function members(path, closing, named,    count, name, c) {
    place++
    blanks()
    if (substr(text, place, 1) == closing) {
        place++
        return
    }
    for (count = 0; place <= length(text); count++) {
        name = count
        blanks()
        if (named) {
            name = string()
            blanks()
            if (substr(text, place++, 1) != ":") {
                fail("expected ':'")
            }
        }
        value(path == "" ? name : path "." name)
        blanks()
        c = substr(text, place++, 1)
        if (c == closing) {
            return
        }
        if (c != ",") {
            fail("expected ',' or '" closing "'")
        }
    }
    fail("ends too early")
}

function string(    begin, c, out) {
    if (substr(text, place++, 1) != "\"") {
        fail("expected a string")
    }
    for (begin = place; place <= length(text); place++) {
        c = substr(text, place, 1)
        if (c == "\"") {
            return out substr(text, begin, place++ - begin)
        }
        if (c == "\\") {
            out = out substr(text, begin, place - begin)
            c = substr(text, ++place, 1)
            if (c == "u") {
                out = out "?"
                place += 4
            } else {
                out = out (index("bfnrt", c) ? " " : c)
            }
            begin = place + 1
        }
    }
    fail("a string without end")
}

function scalar(    begin) {
    begin = place
    while (place <= length(text) && !index(",]} \t\r\n", substr(text, place, 1))) {
        place++
    }
    if (place == begin) {
        fail("expected a value")
    }
    return substr(text, begin, place - begin)
}
