package proc

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestTheFilesOfProcAreReadRight(t *testing.T) {
	if m := fieldsInBytes("MemTotal:  24 kB\nHugePages_Total:  3\nSlab: 1 kB\n"); len(m) != 2 || m["MemTotal"] != 24<<10 || m["Slab"] != 1<<10 {
		t.Errorf("meminfo = %v", m)
	}
	if n := tcpPages("sockets: used 9\nTCP: inuse 2 orphan 0 tw 7 alloc 3 mem 15\nUDP: inuse 0 mem 4\n"); n != 15 {
		t.Errorf("tcp pages = %d, want 15", n)
	}
	counters := parseNetstat("TcpExt: SyncookiesSent ListenDrops\nTcpExt: 3 5\nIpExt: ListenDrops\nIpExt: 70\n")
	if len(counters) != 2 || counters["SyncookiesSent"] != 3 || counters["ListenDrops"] != 5 {
		t.Errorf("netstat = %v", counters)
	}
	for line, want := range map[string]bool{
		"  sl  local_address rem_address   st tx_queue":                           false,
		"   0: 0100007F:1F90 0200007F:C350 01 00000000:00000000":                  true,
		"   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000":                  false, // it listens
		"   2: 0100007F:1F91 0200007F:1F90 01 00000000:00000000":                  false, // it is the other end
		"   3: 00000000000000000000000001000000:1F90 0000:C350 01 00000000:00000": true,
	} {
		if _, got := establishedAt([]byte(line), 8080); got != want {
			t.Errorf("establishedAt(%q) = %v, want %v", line, got, want)
		}
	}
}

func TestThisKernelTellsAll(t *testing.T) {
	if m := KernelMemory(); m.Bytes < 1<<20 || m.Slab < 1<<20 || m.Slab > m.Bytes {
		t.Errorf("memory of the kernel: %+v", m)
	}
	if counters := NetCounters(); len(counters) < 10 {
		t.Errorf("%d counters of the network", len(counters))
	}
}

func TestWhatAProcessUses(t *testing.T) {
	before, err := Process(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for end := time.Now().Add(10 * time.Second); ; {
		now, err := Process(os.Getpid())
		if err != nil || now.Resident < 1<<20 || now.Descriptors != before.Descriptors+1 {
			t.Fatalf("%+v after %+v and one more descriptor, %v", now, before, err)
		}
		if now.CPU() >= before.CPU()+50*time.Millisecond {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%v of processors, %v before ten seconds of work", now.CPU(), before.CPU())
		}
	}
	exact, err := Resident(os.Getpid())
	if err != nil || exact < before.Resident/2 || exact > 2*before.Resident+8<<20 {
		t.Errorf("%d bytes counted, %d as told, %v", exact, before.Resident, err)
	}
	if sum := (Use{1, 2, 3, 4, false}).Plus(Use{10, 20, 30, 40, false}); sum != (Use{11, 22, 33, 44, false}) {
		t.Errorf("sum = %+v", sum)
	}
}

func TestAProcessThatIsGoneIsAFileThatIsNotThere(t *testing.T) {
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	if _, err := Process(gone.Process.Pid); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its figures: %v", err)
	}
	if _, err := Conns(gone.Process.Pid, 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its connections: %v", err)
	}
}

func TestConnectionsOfAPortAreCounted(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 3 {
		c, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if n, err := Conns(os.Getpid(), uint16(l.Addr().(*net.TCPAddr).Port)); n != 3 || err != nil {
		t.Errorf("%d connections, %v; want the 3 that there are, each once", n, err)
	}
}

// What the kernel writes of a table that grows while it is read: the last lines again.
func TestALineThatTheKernelRepeatsIsOneConnection(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0000000000000000 100 0 0 10 0
   1: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 30 10 -1
   3: 0100007F:1F90 0100007F:9C42 01 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 30 10 -1
   4: 0100007F:1F90 0100007F:9C44 06 00000000:00000000 03:00000859 00000000     0        0 0 3 0000000000000000
   5: 0100007F:1F90 0100007F:9C42 01 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 30 10 -1
`
	if n, err := countEstablished(strings.NewReader(table), 8080); n != 2 || err != nil {
		t.Errorf("%d connections, %v; want 2", n, err)
	}
}
