package payload

import (
	"testing"
	"time"
)

func TestSizesHaveSuffixes(t *testing.T) {
	for text, want := range map[string]Size{"100B": 100, "100": 100, "4KB": 4000, "4KiB": 4096, "2MB": 2_000_000, "1MiB": 1 << 20, "1024MiB": 1 << 30} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%s is %d, %v, want %d", text, got, err, want)
		}
		if again, err := ParseSize(want.String()); err != nil || again != want {
			t.Errorf("%s is not read again: %d, %v", want, again, err)
		}
	}
	for _, text := range []string{"", "B", "KiB", "0", "0B", "-1B", "+1B", "1.5KB", "1kb", "1 KB", "1GB", "1B ", "1025MiB", "2147483648", "99999999999999999999MB", "1KKB"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}

func TestABodySaysWhichMessageItIs(t *testing.T) {
	want := Message{Kind: Sent, Number: 1 << 60, Due: 7*time.Hour + 1}
	for _, n := range []int{HeaderLen, 100} {
		body := make([]byte, n)
		Put(body, want)
		if got, ok := Parse(body); !ok || got != want {
			t.Errorf("%d bytes: %+v %v, want %+v", n, got, ok, want)
		}
		for _, other := range [][]byte{nil, body[:HeaderLen-1], append([]byte{'X'}, body...)} {
			if got, ok := Parse(other); ok {
				t.Errorf("%q is read as %+v", other, got)
			}
		}
	}
}

func TestTheScheduleTellsWhichPublicationsThereWere(t *testing.T) {
	s := Schedule(10 * time.Second)
	for at, want := range map[time.Duration]uint64{-1: 0, 0: 0, 10*time.Second - 1: 0, 10 * time.Second: 1, 25 * time.Second: 2} {
		if got := s.Number(at); got != want {
			t.Errorf("the latest at %v is %d, want %d", at, got, want)
		}
	}
	if m := s.Publication(3); m.Due != 30*time.Second || !s.Has(m) {
		t.Errorf("the third is %+v", m)
	}
	for _, m := range []Message{{Sent, 3, 30 * time.Second}, {Publication, 3, 31 * time.Second}, {Publication, 2, 30 * time.Second}} {
		if s.Has(m) {
			t.Errorf("%+v is taken for one of it", m)
		}
	}
}
