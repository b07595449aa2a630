package messaging_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
)

const childEnv = "STORMWHEEL_TEST_STORE"

// child runs one test of this binary in a process of its own, with the store's path.
func child(t *testing.T, test, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	return cmd
}

// TestBoltKillChild puts and drops for ever, and says so: "put USER N" when N is durable, "drop USER N"
// before it asks for that, and "dropped USER N".
func TestBoltKillChild(t *testing.T) {
	path := os.Getenv(childEnv)
	if path == "" {
		t.Skip("a part of TestBoltKilled")
	}
	s := openBolt(t, path, messaging.Bounds{UserRecords: -1, UserBytes: -1})
	go func() {
		io.Copy(io.Discard, os.Stdin) // ends with the parent
		os.Exit(1)
	}()
	fmt.Println("begins")
	var wg sync.WaitGroup
	for u := range 8 {
		wg.Go(func() { putForEver(s, fmt.Sprint("user", u), time.Now().UnixNano()) })
	}
	wg.Wait()
}

func putForEver(s *messaging.Bolt, user string, n int64) {
	for {
		var batch []messaging.Record
		for range 1 + rand.IntN(4) {
			n++
			batch = append(batch, record(user, fmt.Sprintf("%d %0*d", n, rand.IntN(300), 0)))
		}
		if err := s.Put(context.Background(), batch); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		var said strings.Builder
		for _, r := range batch {
			fmt.Fprintf(&said, "put %s %s\n", user, number(r))
		}
		os.Stdout.WriteString(said.String())
		if i := rand.IntN(2 * len(batch)); i < len(batch) {
			fmt.Printf("drop %s %s\n", user, number(batch[i]))
			if err := s.Drop(context.Background(), user, []messaging.Key{batch[i].Key}); err != nil {
				fmt.Println("error", err)
				os.Exit(1)
			}
			fmt.Printf("dropped %s %s\n", user, number(batch[i]))
		}
	}
}

func number(r messaging.Record) string {
	n, _, _ := strings.Cut(string(r.Body), " ")
	return n
}

// TestBoltKilled: whenever the process is killed, what it had acknowledged is there, in order, and what
// was dropped is not.
func TestBoltKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	last := make(map[string]string) // the last word on each message
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	for round := range rounds {
		killAfter(t, path, rand.IntN(100), last)
		s := openBolt(t, path, messaging.Bounds{UserRecords: -1, UserBytes: -1})
		there := wantAscending(t, s)
		lost, again := 0, 0
		for id, word := range last {
			switch {
			case word == "put" && !there[id]:
				lost++
			case word == "dropped" && there[id]:
				again++
			}
		}
		if lost > 0 || again > 0 {
			t.Fatalf("round %d: of %d messages %d are lost, and %d came again", round, len(last), lost, again)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(last) == 0 {
		t.Error("nothing was put")
	}
}

// killAfter runs a child and kills it at some moment after it has said so many lines.
func killAfter(t *testing.T, path string, lines int, last map[string]string) {
	t.Helper()
	cmd := child(t, "TestBoltKillChild", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for said := bufio.NewScanner(out); said.Scan(); lines-- {
		if lines == 0 {
			time.AfterFunc(time.Duration(rand.Int64N(int64(5*time.Millisecond))), func() { cmd.Process.Kill() })
		}
		words := strings.Fields(said.Text())
		switch {
		case len(words) == 3 && len(words[2]) == 19: // a last line may be cut
			last[words[1]+" "+words[2]] = words[0]
		case len(words) > 0 && words[0] == "error":
			t.Error(said.Text())
		}
	}
	cmd.Wait()
}

// wantAscending reads every queue, and wants each user's numbers to ascend and the counts to be right.
func wantAscending(t *testing.T, s messaging.Store) map[string]bool {
	t.Helper()
	there := make(map[string]bool)
	users, err := s.Users(context.Background(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range users {
		before, records, size := "", 0, int64(0)
		for after := messaging.Key(0); ; {
			page, err := s.Next(context.Background(), w.User, after, 500)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, r := range page {
				if number(r) <= before {
					t.Errorf("%s: %s after %s", w.User, number(r), before)
				}
				before, after = number(r), r.Key
				there[w.User+" "+before] = true
				records++
				size += int64(len(r.Body)) + messaging.RecordCost
			}
		}
		if records != w.Records || size != w.Bytes {
			t.Errorf("%s: %d records of %d bytes, the store says %d of %d", w.User, records, size, w.Records, w.Bytes)
		}
	}
	return there
}

// smallDisk is a folder on a disk of so many bytes.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// TestBoltFullDisk: what cannot be stored is refused with the disk's error, what was acknowledged stays, and
// when there is room again the store goes on.
func TestBoltFullDisk(t *testing.T) {
	dir := smallDisk(t, 1<<20)
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 500<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "store")
	s := openBolt(t, path, messaging.Bounds{UserRecords: -1, UserBytes: -1})
	n, failed := 1_000_000_000, 0
	acked := make(map[string]bool)
	put := func() error {
		n++
		user := fmt.Sprint("user", n%7)
		err := s.Put(context.Background(), []messaging.Record{record(user, fmt.Sprintf("%d %01000d", n, 0))})
		if err == nil {
			acked[fmt.Sprint(user, " ", n)] = true
		}
		return err
	}
	for failed < 20 {
		if err := put(); err != nil {
			if failed++; !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("Put on a full disk: %v", err)
			}
		}
		if n > 1_000_005_000 {
			t.Fatal("the disk does not fill")
		}
	}
	wantThere := func() {
		t.Helper()
		there := wantAscending(t, s)
		for id := range acked {
			if !there[id] {
				t.Fatalf("%s is lost", id)
			}
		}
		if len(there) != len(acked) {
			t.Errorf("%d records are there, %d were acknowledged", len(there), len(acked))
		}
	}
	wantThere()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if err := put(); err != nil {
			t.Fatalf("Put with room again: %v", err)
		}
	}
	wantThere()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openBolt(t, path, messaging.Bounds{UserRecords: -1, UserBytes: -1})
	defer s.Close()
	wantThere()
	t.Logf("%d messages", len(acked))
}

func TestBoltNewOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, 64<<10)
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 60<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := messaging.OpenBolt(filepath.Join(dir, "store"), messaging.Bounds{}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("OpenBolt on a full disk: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
		t.Fatal(err)
	}
	s, err := messaging.OpenBolt(filepath.Join(dir, "store"), messaging.Bounds{}) // what it left is no obstacle
	if err != nil {
		t.Fatalf("OpenBolt with room again: %v", err)
	}
	s.Close()
}

func TestBoltReadOnlyFile(t *testing.T) {
	path := os.Getenv(childEnv)
	if path != "" { // as somebody who may not write the file
		_, err := messaging.OpenBolt(path, messaging.Bounds{})
		if !errors.Is(err, os.ErrPermission) || !strings.Contains(fmt.Sprint(err), path) {
			t.Errorf("OpenBolt: %v", err)
		}
		t.Log(err)
		return
	}
	dir, err := os.MkdirTemp("/tmp", "stormwheel-store")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path = filepath.Join(dir, "store")
	filled(t, path)
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(path, 0o444)); err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	here := filepath.Join(dir, "test") // where anybody may run it
	if err := os.WriteFile(here, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := child(t, "TestBoltReadOnlyFile", path)
	cmd.Path, cmd.Dir = here, dir
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS: TestBoltReadOnlyFile") {
		t.Errorf("%v\n%s", err, out)
	}
}
