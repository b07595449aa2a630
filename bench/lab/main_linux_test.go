package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// The test binary is the command too, so that parts and servers run in processes of their own.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{"serve", "part", "worker"}, os.Args[1]) {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// root is the repository's, told before a run goes there.
var root, rootErr = filepath.Abs("../..")

// binary is stormwheel, built for the test.
func binary(t *testing.T) string {
	t.Helper()
	if rootErr != nil {
		t.Fatal(rootErr)
	}
	bin := filepath.Join(t.TempDir(), "stormwheel")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", root, "-o", bin, "./cmd/stormwheel").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bin
}

// Figures of so short runs mean nothing, but there is one of each.
func TestEverySectionIsMeasuredAndWritten(t *testing.T) {
	home, bin := t.TempDir(), binary(t)
	for _, test := range []struct {
		section string
		flags   []string
		want    []string
	}{
		{"peers", []string{"--subjects", "stormwheel,gnet,stormwheel-open", "--workloads", "connect,beat,evict,storm"},
			[]string{"| CPU of a heartbeat at full load, of bare gnet's | at most 1.05x | ", "| **Stormwheel**, admission open |", "Not run: 1,000,000,000 connections"}},
		{"large", []string{"--size", "500"}, []string{"### 500 connections in one process", "| **Stormwheel** |"}},
		{"wheel", []string{"--subjects", "memory,wheel,list,sweep"}, []string{"### 20,000 connections", "ns to read and write", "| **fleet, % of a core** |"}},
		{"generator", nil, []string{"| the swarm, `tcp-echo` |", "| a plain Go client takes | at least 10x |", "| the swarm, handshake |", "Not measured: `make million`"}},
		{"storm-lab", []string{"--subjects", "window"}, []string{"| t100, s |"}},
		{"overload", nil, []string{"| crash, back after 1 s | t100, s | at most "}},
		{"goodput", []string{"--subjects", "stormwheel,stormwheel-blind,gnet,admitted,told a slot,not answered"},
			[]string{"| Stormwheel | at once | 600 |", "| Stormwheel, blind | ", "(1 x)", "| told a slot, by an admission | at most 0.10x | ", "| not answered, by an admission | "}},
		{"posts", nil, []string{"| Stormwheel |", "| bare gnet writes |", "| messages a second, many in a Write | at least 400,000 | "}},
		{"fanout", nil, []string{"### 200 members: ten messages wait for each walk", "| hub over gws |", "| centrifuge |", "| single messages, by bare writes | at least 0.90x | ", "A session in two groups of all sessions takes "}},
		{"websocket", []string{"--subjects", "stormwheel,stormwheel-ws,centrifuge"}, []string{"| **Stormwheel**, WebSocket |", "| centrifuge v0.40.1 |", "| memory of an idle WebSocket, above plain TCP's | at most 40 B | ",
			"| storm by WebSocket: t99, by N/C | at most 1.05x | "}},
		{"tls", nil, []string{"| **Stormwheel**, TLS |", "| crypto/tls |", "| memory of an idle TLS connection, above plain TCP's | at most 300 B | ",
			"| handshakes a second a core, full, by crypto/tls's | at least 0.90x | ", "| a TLS client of the load generator, without a ticket | at most 900 B | "}},
		{"messages", nil, []string{"| Stormwheel, one for each processor |", "| Stormwheel, a room | 200 |", "| centrifuge, with history | 200 |",
			"| durable messages refused | at most 0 | 0 | ", "| messages between users, a second of a core's time | at least 20,000 | "}},
		{"cluster", nil, []string{"| at the other node |", "| SIGSTOP |", "| the cluster |", "| a killed node is noticed | at most 50 ms | ", "| all are back, by what the survivors' rates take | at most 1.10 times | "}},
		{"promises", nil, []string{
			"| silent clients that are evicted | 130 | ", "| evictions that are early, or of live clients | 0 | ",
			"| the last eviction, after its timeout | at most 550 ms | ",
			"| round trip p99 of the live clients, since the others are silent, pooled | at most ",
			"| the same in the seconds that have evictions, their median | at most ",
			"| 99 % are back, in ideals | at most 1.10 | ", "| all are back | at most 1.55 s | ", "| attempts per success | at most 1.10 | ",
			"| false evictions, and sessions lost of clients that are not hit | 0 | ",
			"| round trip p99 of the clients that are not hit, since the kill, pooled | at most ",
			"| clients that move | 200 | ", "| of them, offline for a moment | 0 | ",
			"| accept rate of the receiver, by the pace of the drain | 0.90 to 1.10 | ",
			"| well-behaved clients that are lost | 0 | ", "| RSS afterwards, by that before | at most 1.10 | "}},
		{"heartbeats", nil, []string{"| plain TCP: writes that returned without an error | 100 |", "| acknowledged when it ran again | 100 |"}},
	} {
		t.Run(test.section, func(t *testing.T) {
			if test.section == "heartbeats" && os.Geteuid() != 0 {
				t.Skip("needs root for its network namespaces")
			}
			t.Parallel()
			place := []string{"--out", filepath.Join(home, test.section), "--page", filepath.Join(home, test.section+".md"),
				"--images", filepath.Join(home, "img"), "--binary", bin}
			page := func() string {
				text, err := os.ReadFile(filepath.Join(home, test.section+".md"))
				if err != nil {
					t.Fatal(err)
				}
				return string(text)
			}
			if err := run(slices.Concat([]string{"run", test.section, "--effort", "tiny"}, test.flags, place)); err != nil {
				t.Fatal(err)
			}
			text := page()
			for _, want := range append(test.want, "<!-- "+test.section+":begin -->", "run "+test.section) {
				if !strings.Contains(text, want) {
					t.Errorf("the section lacks %q", want)
				}
			}
			for _, bad := range []string{"NaN", "Inf", "%!"} {
				if strings.Contains(text, bad) {
					t.Errorf("the section has a %q", bad)
				}
			}
			if err := run(append([]string{"write", test.section}, place...)); err != nil {
				t.Fatal(err)
			}
			if after := page(); after != text {
				t.Errorf("write writes something else than run:\n%s", after)
			}
			if t.Failed() {
				t.Log(text)
			}
		})
	}
}

func TestAPartEndsWithItsParent(t *testing.T) {
	silent, err := net.Listen("tcp4", "127.0.0.1:0") // clients wait ten seconds for its welcome
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c, in, err := kit.Command("part", "generator", fmt.Sprintf(`{"workload":"memory","subject":"plain","size":1,"Effort":{"name":"tiny"},"Target":%q}`, silent.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	out, end := io.Pipe()
	if err := c.Launch(end); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, out)
	if err := in.Close(); err != nil { // as the kernel does when the parent dies
		t.Fatal(err)
	}
	select {
	case <-c.Done():
	case <-time.After(time.Minute):
		t.Error("it goes on")
	}
}

func TestWhatDoesNotExistIsRefused(t *testing.T) {
	for _, args := range [][]string{{"run", "nothing"}, {"write", "nothing"}, {"run", "large", "--rounds=-1"}, {"part", "nothing", "{}"},
		{"serve", "nothing"}, {"run", "wheel", "--effort", "huge"}, {}} {
		if err := run(args); err == nil {
			t.Errorf("%v is fine", args)
		}
	}
}

// What a section of the generator says is of clients that were there.
func TestTheGeneratorsFiguresAreOfItsClients(t *testing.T) {
	home := t.TempDir()
	place := []string{"--out", home, "--page", filepath.Join(home, "page.md")}
	if err := run(append([]string{"run", "generator", "--effort", "tiny", "--subjects", "swarm,plain"}, place...)); err != nil {
		t.Fatal(err)
	}
	k, err := kit.Load(kit.Place{Out: home}, "generator")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		workload, subject, figure string
		least                     float64
	}{
		{"memory", "plain", "bytes", 2048}, // a goroutine's stack
		{"memory", "swarm", "few_mib", 1},
		{"connects", "swarm", "connects_s", 1},
		{"lateness", "swarm", "pings_s", 500},
		{"lateness", "swarm", "late_p99", 0.001},
		{"lateness", "swarm", "late_worst", 0.001},
	} {
		at := kit.Step{Workload: want.workload, Subject: want.subject}
		if got := k.Sample(at, want.figure); got.N != 1 || got.Median < want.least {
			t.Errorf("%s of %s: %s is %v (%s), want %g at least", want.workload, want.subject, want.figure, got, k.Problem(at), want.least)
		}
	}
}

func TestEveryEffortOfASectionHasSteps(t *testing.T) {
	for _, s := range sections {
		for _, effort := range []string{"tiny", "short", "full"} {
			k := kit.New(kit.Place{}, s, kit.Effort{Name: effort}, "")
			seen := map[kit.Step]bool{}
			for _, one := range s.Steps(k) {
				if seen[one] {
					t.Errorf("%s, %s: %+v twice", s.Name, effort, one)
				}
				seen[one] = true
			}
			k.Effort.Rounds = 1
			if once := len(s.Steps(k)); once == 0 || once > len(seen) {
				t.Errorf("%s, %s: %d steps, and %d of one round", s.Name, effort, len(seen), once)
			}
		}
	}
}
