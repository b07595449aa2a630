package proxy

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// The examples of docs/PROTOCOL.md.
func TestThePagesExamples(t *testing.T) {
	page, err := os.ReadFile("../../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```proxy\n")
	block, _, _ = strings.Cut(block, "```")
	var got []Header
	for line := range strings.Lines(block) {
		digits, _, _ := strings.Cut(line, "#")
		b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		h, size, _, err := Parse(b)
		if err != nil || size != len(b) {
			t.Errorf("%q: %d bytes, %v", b, size, err)
		}
		got = append(got, h)
	}
	if len(got) != 3 || got[0].Source != from4 || got[1].Source != from4 || !got[2].Local {
		t.Errorf("the headers say %+v", got)
	}
}
