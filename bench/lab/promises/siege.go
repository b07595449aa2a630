package promises

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// siegeTest is the server's own test of all adversaries at once; siegeEnv makes it long.
var siegeTest = []string{"go", "test", "-count=1", "-v",
	"-run", "^TestAllAdversariesAtOnceLoseNoWellBehavedClient$", "github.com/stormwheel/stormwheel/server"}

func (s size) siegeEnv() []string {
	if s.long {
		return []string{"STORMWHEEL_LONG=1"}
	}
	return nil
}

// What the test says.
var (
	siegeBeside = regexp.MustCompile(`beside it: (.+)`)
	siegeRSS    = regexp.MustCompile(`RSS \d+ KiB when fresh, (\d+) before, (\d+) after`)
	siegeLost   = regexp.MustCompile(`(\d+) well-behaved clients were lost`)
)

// siege fails only if the test says nothing; what it finds is a result.
func (s size) siege(ctx context.Context, r *kit.Record) error {
	cmd := exec.CommandContext(ctx, siegeTest[0], siegeTest[1:]...)
	cmd.Env = append(os.Environ(), s.siegeEnv()...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&said, os.Stderr), os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	return readSiege(r, said.String(), err == nil)
}

// readSiege takes the figures from what the test says: well-behaved clients that were lost, and
// the RSS in KiB. How the clients fared beside it is for people.
func readSiege(r *kit.Record, said string, passed bool) error {
	beside, rss := siegeBeside.FindAllStringSubmatch(said, -1), siegeRSS.FindStringSubmatch(said)
	if beside == nil || rss == nil {
		return errors.New("the test of all adversaries does not say how the clients beside them fared, and what memory it took")
	}
	r.Said = beside[len(beside)-1][1] // the first assault only warms up
	for i, name := range []string{"before", "after"} {
		r.Figures[name], _ = strconv.ParseFloat(rss[i+1], 64)
	}
	lost := 0.0
	for _, m := range siegeLost.FindAllStringSubmatch(said, -1) {
		n, _ := strconv.ParseFloat(m[1], 64)
		lost += n
	}
	r.Figures["lost"], r.Figures["failed"] = lost, 0
	if !passed {
		r.Figures["failed"] = 1
	}
	return nil
}

// ofSiege: nobody who behaves is lost, and no memory stays taken.
func ofSiege(r *kit.Record) []kit.Target {
	f := r.Figures
	all := []kit.Target{
		{What: "well-behaved clients that are lost", AtMost: new(0.0), AtLeast: new(0.0), Of: kit.SampleOf([]float64{f["lost"]}),
			Got: kit.Number(f["lost"]) + " beside " + r.Said},
		{What: "RSS afterwards, by that before", AtMost: new(1.1), Of: kit.SampleOf([]float64{f["after"] / max(f["before"], 1)}),
			Got: fmt.Sprintf("%s: %s KiB after %s", kit.Number(f["after"]/max(f["before"], 1)), kit.Number(f["after"]), kit.Number(f["before"]))},
	}
	if f["failed"] > 0 && all[0].Verdict() == "reached" && all[1].Verdict() == "reached" {
		all = append(all, kit.Target{What: "failures of the test for another reason", AtMost: new(0.0), AtLeast: new(0.0), Of: kit.SampleOf([]float64{1})})
	}
	return all
}
