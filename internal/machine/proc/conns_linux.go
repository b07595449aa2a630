package proc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
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
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			if establishedAt(lines.Bytes(), port) {
				n++
			}
		}
		if err := errors.Join(lines.Err(), f.Close()); err != nil {
			return 0, err
		}
		read = true
	}
	if !read {
		return 0, fs.ErrNotExist
	}
	return n, nil
}

// establishedAt reads a line "sl: local:port remote:port state ...", all in hexadecimal.
func establishedAt(line []byte, port uint16) bool {
	_, line, _ = bytes.Cut(line, []byte(": "))
	local, line, _ := bytes.Cut(line, []byte(" "))
	_, line, _ = bytes.Cut(line, []byte(" "))
	colon := bytes.LastIndexByte(local, ':')
	if colon < 0 || !bytes.HasPrefix(line, []byte("01 ")) {
		return false
	}
	at, err := strconv.ParseUint(string(local[colon+1:]), 16, 16)
	return err == nil && uint16(at) == port
}
