package tally

import (
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// The latest refusal survives a loop that has seen none.
func TestARefusalIsKeptWhenCountsAreAdded(t *testing.T) {
	sum := Counters{Refusal: codec.CodeBusy}
	sum.Add(&Counters{})
	if sum.Refusal != codec.CodeBusy {
		t.Errorf("the refusal is now %v", sum.Refusal)
	}
}
