package peer

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// TestPageExamples: the examples of docs/CLUSTER.md say what stands beside them, and what they say encodes to their
// bytes.
func TestPageExamples(t *testing.T) {
	page, err := os.ReadFile("../../docs/CLUSTER.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[kind]bool)
	for i, block := range strings.Split(string(page), "```bus\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		var msg []byte
		var named []string
		for line := range strings.Lines(text) {
			digits, says, _ := strings.Cut(line, "#")
			b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
			if err != nil {
				t.Fatalf("example %d: %q: %v", i, line, err)
			}
			msg = append(msg, b...)
			if says = strings.TrimSpace(says); says != "" {
				named = append(named, says)
			}
		}
		got, err := describe(msg)
		if err != nil || strings.Join(got, "\n") != strings.Join(named, "\n") {
			t.Errorf("example %d says\n%s\nbut its bytes say\n%s\n%v", i, strings.Join(named, "\n"), strings.Join(got, "\n"), err)
		} else if b := again(msg); !bytes.Equal(b, msg) {
			t.Errorf("example %d has the bytes\n% x\nbut what it says encodes to\n% x", i, msg, b)
		}
		seen[kind(msg[1])] = true
	}
	if markOf("b", 0x99aabbccddeeff00) != 0xd268777b { // which NODE's example names
		t.Errorf("the mark of b is %08x", markOf("b", 0x99aabbccddeeff00))
	}
	for k := kindNode; k < kindsKnown; k++ {
		if !seen[k] {
			t.Errorf("CLUSTER.md has no example of %s", kindNames[k])
		}
	}
}
