package websocket

import (
	"bytes"
	"strings"
)

// maxHead bounds the head of a request and of an answer, in bytes with its empty line.
const maxHead = 4 << 10

// cutHead returns the head at the front of b, without its empty line, and how many bytes it has
// with that; 0 if its end is not here. Longer than maxHead it is not ok.
func cutHead(b []byte) (head string, size int, ok bool) {
	i := bytes.Index(b[:min(len(b), maxHead)], []byte("\r\n\r\n"))
	if i < 0 {
		return "", 0, len(b) < maxHead
	}
	return string(b[:i]), i + 4, true
}

// eachField calls f for the fields of a head behind its first line, with their names in lower case.
// It is not ok if one of them is none, as RFC 9112 has it, or f says so.
func eachField(lines string, f func(name, value string) bool) (ok bool) {
	for lines != "" {
		var line string
		line, lines, _ = strings.Cut(lines, "\r\n")
		name, value, found := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !found || !isToken(name) || strings.ContainsFunc(value, isControl) || !f(strings.ToLower(name), value) {
			return false
		}
	}
	return true
}

// isToken says whether s is a token of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// hasToken says whether a list has a word, in any case.
func hasToken(list, word string) bool {
	for s := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.Trim(s, " \t"), word) {
			return true
		}
	}
	return false
}
