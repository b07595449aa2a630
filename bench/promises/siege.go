package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"

	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

// siege is the server's own test of all adversaries at once.
type siege struct {
	passed        bool
	lost          int    // well-behaved clients
	beside        string // how the others fared
	before, after int    // RSS in KiB
	goTest, env   []string
}

func (s size) siege() siege {
	g := siege{goTest: []string{"go", "test", "-count=1", "-v",
		"-run", "^TestAllAdversariesAtOnceLoseNoWellBehavedClient$", "github.com/stormwheel/stormwheel/server"}}
	if s.long {
		g.env = []string{"STORMWHEEL_LONG=1"}
	}
	return g
}

// What the test says.
var (
	siegeBeside = regexp.MustCompile(`beside it: (.+)`)
	siegeRSS    = regexp.MustCompile(`RSS \d+ KiB when fresh, (\d+) before, (\d+) after`)
	siegeLost   = regexp.MustCompile(`(\d+) well-behaved clients were lost`)
)

// run fails only if the test says nothing; what it finds is a result.
func (g *siege) run() error {
	cmd := exec.Command(g.goTest[0], g.goTest[1:]...)
	cmd.Env = append(os.Environ(), g.env...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&said, os.Stderr), os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	g.passed = err == nil
	return g.read(said.String())
}

func (g *siege) read(said string) error {
	beside, rss := siegeBeside.FindAllStringSubmatch(said, -1), siegeRSS.FindStringSubmatch(said)
	if beside == nil || rss == nil {
		return errors.New("the test of all adversaries does not say how the clients beside them fared, and what memory it took")
	}
	g.beside = beside[len(beside)-1][1] // the first assault only warms up
	g.before, _ = strconv.Atoi(rss[1])
	g.after, _ = strconv.Atoi(rss[2])
	g.lost = 0
	for _, m := range siegeLost.FindAllStringSubmatch(said, -1) {
		n, _ := strconv.Atoi(m[1])
		g.lost += n
	}
	return nil
}

func (g siege) figures() []figure {
	lost := exactly("well-behaved clients that are lost", 0, []float64{float64(g.lost)})
	lost.got += " beside " + g.beside
	rss := atMost("RSS afterwards, by that before", ratio, 1.1, []float64{float64(g.after) / float64(max(g.before, 1))})
	rss.got += fmt.Sprintf(": %s KiB after %s", benchdoc.Grouped(g.after), benchdoc.Grouped(g.before))
	if lost.missed == "" && rss.missed == "" && !g.passed {
		lost.missed = "missed: the test fails for another reason"
	}
	return []figure{lost, rss}
}
