package between

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
)

// describe writes a message as docs/CLUSTER.md does.
func describe(m *Message) string {
	words := []string{m.Kind.String()}
	for f := field(1); f <= fieldOffset; f++ {
		if v := m.number(f); v != nil && *v != 0 {
			words = append(words, fmt.Sprintf("%s=%d", fieldNames[f], *v))
		}
	}
	for _, f := range []field{fieldUser, fieldRoom, fieldDevice, fieldReason, fieldList, fieldBody} {
		if v := m.text(f); len(*v) > 0 {
			words = append(words, fmt.Sprintf("%s=%q", fieldNames[f], *v))
		}
	}
	return strings.Join(words, " ")
}

var fieldNames = map[field]string{
	fieldStream: "stream", fieldNumber: "number", fieldAckStream: "ackstream", fieldAcked: "acked", fieldAgain: "again", fieldToken: "token",
	fieldUser: "user", fieldRoom: "room", fieldBody: "body", fieldList: "list", fieldResult: "result", fieldDevice: "device",
	fieldCode: "code", fieldReason: "reason", fieldStamp: "stamp", fieldDue: "due", fieldUntil: "until",
	fieldEpoch: "epoch", fieldOffset: "offset",
}

// The examples of docs/CLUSTER.md are what Append writes and Parse reads, one at least of each kind.
func TestExamplesOfThePage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/CLUSTER.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[Kind]bool)
	for i, block := range strings.Split(string(page), "```between\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		for line := range strings.Lines(block) {
			text, want, ok := strings.Cut(strings.TrimSpace(line), " # ")
			body, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
			if err != nil || !ok {
				t.Errorf("block %d: %q is no example: %v", i, line, err)
				continue
			}
			m, err := Parse(body)
			if got := describe(&m); err != nil || got != want {
				t.Errorf("%s\nis   %s, %v\nsaid %s", text, got, err, want)
			}
			if again := Append(nil, &m); !bytes.Equal(again, body) {
				t.Errorf("%s\nis written as % x", want, again)
			}
			seen[m.Kind] = true
		}
	}
	for k := range Kind(len(names)) {
		if names[k] != "" && !seen[k] {
			t.Errorf("CLUSTER.md has no example of %v", k)
		}
		if names[k] != "" && !strings.Contains(string(page), fmt.Sprintf("| %d | %s |", k, k)) {
			t.Errorf("CLUSTER.md has no row | %d | %s |", k, k)
		}
	}
	for f, name := range fieldNames {
		if row := fmt.Sprintf("| %d | %s |", f, name); !strings.Contains(string(page), row) {
			t.Errorf("CLUSTER.md has no row %s", row)
		}
	}
}
