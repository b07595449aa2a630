package link

import (
	"fmt"
	"testing"
)

func TestFirstIsWhatIsDialledFirst(t *testing.T) {
	cfg := Config{}
	for i := range 56 {
		cfg.Endpoints = append(cfg.Endpoints, fmt.Sprintf("127.0.0.1:%d", 7000+i))
	}
	cfg.Fill()
	seen := map[string]int{}
	for seed := range uint64(5600) {
		var l Link
		var out Out
		l.Init(&cfg, 1, seed)
		l.Start(0, &out)
		got := out.Actions[0].Addr
		if want := cfg.First(seed); got != want {
			t.Fatalf("seed %d: dialled %s, First = %s", seed, got, want)
		}
		seen[got]++
	}
	for addr, n := range seen {
		if n < 50 || n > 150 {
			t.Errorf("%s was chosen %d times of 5600, want about 100", addr, n)
		}
	}
	if len(seen) != 56 {
		t.Errorf("%d of 56 endpoints were chosen", len(seen))
	}
}
