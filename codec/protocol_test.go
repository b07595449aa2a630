package codec

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// docs/PROTOCOL.md is the contract with clients in other languages; these tests hold the
// page and the code to each other.

func protocolPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// table returns the cells of the first table whose head line is given, without head.
func table(t *testing.T, page, head string) [][]string {
	t.Helper()
	_, rest, found := strings.Cut(page, head+"\n")
	if !found {
		t.Fatalf("PROTOCOL.md has no table %q", head)
	}
	var rows [][]string
	for _, line := range strings.Split(rest, "\n")[1:] {
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows
}

func TestPageListsEveryCode(t *testing.T) {
	var want strings.Builder
	for _, info := range Codes {
		blames := "the node"
		if info.SessionOnly {
			blames = "the session"
		}
		fmt.Fprintf(&want, "| %d | %s | %s | %s |\n", info.Code, info.Name, blames, info.Meaning)
	}
	head := "| code | name | blames | meaning |\n|---|---|---|---|\n"
	if _, rest, _ := strings.Cut(protocolPage(t), head); !strings.HasPrefix(rest, want.String()+"\n") {
		t.Errorf("the code table of PROTOCOL.md should be\n%s%s", head, want.String())
	}
}

func TestPageListsEveryType(t *testing.T) {
	rows := table(t, protocolPage(t), "| type | name | sent by | payload |")
	if len(rows) != len(typeNames)-1 {
		t.Errorf("PROTOCOL.md lists %d types, the code has %d", len(rows), len(typeNames)-1)
	}
	for i, row := range rows {
		if typ := Type(i + 1); row[0] != strconv.Itoa(i+1) || row[1] != typ.String() {
			t.Errorf("PROTOCOL.md lists %v, want %d %v", row, i+1, typ)
		}
	}
}

func TestPageListsEveryEntry(t *testing.T) {
	rows := table(t, protocolPage(t), "| type | name | most bytes | kind |")
	if len(rows) != len(tlvRules)-1 {
		t.Errorf("PROTOCOL.md lists %d entries, the code has %d", len(rows), len(tlvRules)-1)
	}
	for i, row := range rows {
		rule, kind := tlvRules[i+1], "bytes"
		if rule.text {
			kind = "text"
		}
		if want := fmt.Sprint([]any{i + 1, rule.name, rule.maxBytes, kind}); fmt.Sprint(row) != want {
			t.Errorf("PROTOCOL.md lists %v, want %v", row, want)
		}
	}
}

// TestPageOffsets adds up the fixed fields of every payload table.
func TestPageOffsets(t *testing.T) {
	page := protocolPage(t)
	for heading, want := range map[string]int{"HELLO": helloFixed, "WELCOME": welcomeFixed, "PING": pingFixed,
		"PONG": pongFixed, "SEND and DELIVER": messageIDLen, "ACK": ackLen, "NACK": nackFixed, "GOAWAY": goAwayFixed} {
		_, section, found := strings.Cut(page, "### "+heading+"\n")
		if !found {
			t.Errorf("PROTOCOL.md has no section %q", heading)
			continue
		}
		end := 0
		for _, row := range table(t, section, "| offset | size | field |") {
			if row[0] != strconv.Itoa(end) {
				t.Errorf("%s: field %q at offset %s, the fields before it end at %d", heading, row[2], row[0], end)
			}
			if row[1] != "" { // the tail and the body have no size
				size, err := strconv.Atoi(row[1])
				if err != nil {
					t.Errorf("%s: field %q: %v", heading, row[2], err)
				}
				end += size
			}
		}
		if end != want {
			t.Errorf("%s: the fixed fields have %d bytes, want %d", heading, end, want)
		}
	}
	for _, sentence := range []string{
		fmt.Sprintf("%d bytes, and %d at the server until HELLO is accepted", MaxPayload, MaxPayloadBeforeAuth),
		fmt.Sprintf("magic, 0x%02x |", Magic), fmt.Sprintf("| 0x%02x: framing version %d", FramingVersion<<4, FramingVersion),
		fmt.Sprintf("Framing %d, protocol version %d.", FramingVersion, ProtocolVersion),
	} {
		if !strings.Contains(page, sentence) {
			t.Errorf("PROTOCOL.md does not say %q", sentence)
		}
	}
}
