package messaging_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
)

// The numbers behind the codes are those that a hub has unless told otherwise.
func TestThePagesTellTheDefaults(t *testing.T) {
	c, b := messaging.Defaults(), messaging.Bounds{}.WithDefaults()
	var number func(n int) string
	number = func(n int) string {
		if n < 1000 {
			return fmt.Sprint(n)
		}
		return fmt.Sprintf("%s,%03d", number(n/1000), n%1000)
	}
	joins := max(4*int(c.JoinRate), c.MaxRooms+c.MaxWatches)
	rate := fmt.Sprintf("%g, %g at once |", c.MessageRate, 4*c.MessageRate)
	for page, all := range map[string][]string{
		"../docs/MESSAGING.md": {
			fmt.Sprintf("%s messages and %d MiB of a user wait, or %s and %d MiB in all", number(b.UserRecords), b.UserBytes>>20, number(b.Records), b.Bytes>>20),
			fmt.Sprintf("%g messages a second, %g at once, and %g joins, watches and questions, %d at once", c.MessageRate, 4*c.MessageRate, c.JoinRate, joins),
			number(c.MaxMembers) + " sessions of the node are in", fmt.Sprintf("larger than %d KiB", c.MaxContent>>10), fmt.Sprintf("later than in %d days", c.Life/(24*time.Hour)),
			fmt.Sprintf("a user is in %d rooms, or a session has %d watches", c.MaxRooms, c.MaxWatches),
			fmt.Sprintf("latest %d messages, and %d KiB", c.RingMessages, c.RingBytes>>10),
		},
		"../docs/OPERATIONS.md": {rate, fmt.Sprintf("%g, %d at once |", c.JoinRate, joins), fmt.Sprintf("| sessions of one user | %d |", c.MaxDevices),
			"| " + number(c.MaxMembers) + " |", "| " + number(c.MaxRoomsTotal) + " |", fmt.Sprintf("| %d messages and %d KiB |", c.RingMessages, c.RingBytes>>10),
			fmt.Sprintf("| %d MiB | refused: NACK 82", c.MaxStoring>>20), fmt.Sprintf("| %d KiB | refused: NACK 1012", c.MaxContent>>10)},
	} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range all {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s should say %q", page, want)
			}
		}
	}
}
