package proc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"strconv"
)

// Conns counts the established connections to a local port in the network namespace of
// a process: those that it holds, if nobody else listens there. The kernel writes a line a
// socket, about a microsecond each.
func Conns(pid int, port uint16) (n int, err error) {
	read := false
	for _, table := range []string{"tcp", "tcp6"} {
		f, err := os.Open(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if errors.Is(err, fs.ErrNotExist) {
			continue // no IPv6
		}
		if err != nil {
			return 0, err
		}
		found, err := countEstablished(f, port)
		if err := errors.Join(err, f.Close()); err != nil {
			return 0, err
		}
		n += found
		read = true
	}
	if !read {
		return 0, fs.ErrNotExist
	}
	return n, nil
}

// countEstablished counts each connection of a table once. A table is read a page at a time, and
// the kernel repeats some of its last lines when sockets have come meanwhile.
func countEstablished(table io.Reader, port uint16) (int, error) {
	seen := make(map[uint64]struct{})
	seed := maphash.MakeSeed()
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		if ends, ok := establishedAt(lines.Bytes(), port); ok {
			seen[maphash.Bytes(seed, ends)] = struct{}{}
		}
	}
	return len(seen), lines.Err()
}

// establishedAt reads a line "sl: local:port remote:port state ...", all in hexadecimal. ends is
// both ends as they stand there.
func establishedAt(line []byte, port uint16) (ends []byte, ok bool) {
	_, line, _ = bytes.Cut(line, []byte(": "))
	local, rest, _ := bytes.Cut(line, []byte(" "))
	remote, rest, _ := bytes.Cut(rest, []byte(" "))
	colon := bytes.LastIndexByte(local, ':')
	if colon < 0 || !bytes.HasPrefix(rest, []byte("01 ")) {
		return nil, false
	}
	at, err := strconv.ParseUint(string(local[colon+1:]), 16, 16)
	return line[:len(local)+1+len(remote)], err == nil && uint16(at) == port
}
