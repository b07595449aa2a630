package reactor

import (
	"bytes"
	"testing"
)

func TestNamesOfEveryLengthComeBack(t *testing.T) {
	var a names
	for round := range 3 { // the later ones in freed blocks
		var refs [256]nameRef
		for n := range refs {
			refs[n] = a.put(bytes.Repeat([]byte{byte(n + round)}, n))
		}
		for n, ref := range refs {
			if got, want := a.get(ref), bytes.Repeat([]byte{byte(n + round)}, n); !bytes.Equal(got, want) {
				t.Fatalf("round %d: name of %d bytes is %q, want %q", round, n, got, want)
			}
		}
		for _, ref := range refs {
			a.drop(ref)
		}
	}
	if len(a.chunks) != 1 {
		t.Errorf("%d chunks for 256 names at a time, want 1: blocks were not used again", len(a.chunks))
	}
}

func TestANameTakesItsOwnLengthAndLittleMore(t *testing.T) {
	for n := range 256 {
		_, size := nameClass(n)
		if int(size) < n+1 || n < exactNames && int(size) > n+nameUnit || int(size) > 2*n+nameUnit {
			t.Errorf("a name of %d bytes takes %d", n, size)
		}
	}
}
