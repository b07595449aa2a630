package messaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// pageCheck walks the pages of a bbolt file, version 2, without bbolt: what it finds whole cannot make
// bbolt panic, which in places it would do on a goroutine of its own. All numbers are in the machine's
// order. A page begins with 16 bytes: id u64, flags u16, count u16, how many more pages it has u32. After
// that:
//
//	meta     magic u32, version u32, page size u32, flags u32, root bucket, freelist u64, pages u64,
//	         transaction u64, and the FNV-64a of these
//	branch   count times: position u32, key's length u32, page u64
//	leaf     count times: flags u32 (1: a bucket), position u32, key's length u32, value's length u32
//	bucket   root page u64 (0: a page follows inline), sequence u64
//
// A position counts from the beginning of its element.
type pageCheck struct {
	file     io.ReaderAt
	pageSize int64
	pages    uint64 // those in use are below it
	root     uint64
	seen     []uint64 // a bit a page
}

const (
	pageHeader  = 16
	metaBytes   = 56
	metaMagic   = 0xED0CDAED
	branchFlag  = 1
	leafFlag    = 2
	elementSize = 16
)

var native = binary.NativeEndian

// checkPages walks a file of so many bytes. Both meta pages must be whole: bbolt is content with one,
// but it may be as of a commit before the other, and that commit was acknowledged. (A power cut leaves
// no half: it is within one sector.)
func checkPages(file io.ReaderAt, size int64) error {
	c := &pageCheck{file: file}
	latest := uint64(0)
	for n := range int64(2) {
		var b [pageHeader + metaBytes + 8]byte
		if _, err := file.ReadAt(b[:], n*c.pageSize); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		m := b[pageHeader:]
		if native.Uint32(m) != metaMagic && n == 0 {
			return fmt.Errorf("%w, or its first page is damaged", ErrStoreFormat)
		}
		sum := fnv.New64a()
		sum.Write(m[:metaBytes])
		if native.Uint32(m) != metaMagic || native.Uint64(m[metaBytes:]) != sum.Sum64() || native.Uint64(b[:]) != uint64(n) {
			return fmt.Errorf("%w: meta page %d, so that the latest commit may be missing", ErrStoreDamaged, n)
		}
		c.pageSize = int64(native.Uint32(m[8:]))
		if tx := native.Uint64(m[48:]); tx >= latest {
			latest, c.root, c.pages = tx, native.Uint64(m[16:]), native.Uint64(m[40:])
		}
	}
	if c.pageSize < 512 || c.pages > uint64(size/c.pageSize) {
		return fmt.Errorf("%w: it has %d bytes, and %d pages of %d when it was written", ErrStoreDamaged, size, c.pages, c.pageSize)
	}
	c.seen = make([]uint64, c.pages/64+1)
	return c.tree(c.root, nil, nil, true)
}

// damaged tells of a page.
func damaged(id uint64, what string) error {
	return fmt.Errorf("%w: page %d: %s", ErrStoreDamaged, id, what)
}

// tree walks the pages below one. Its keys are not below low, and below high unless that is nil.
func (c *pageCheck) tree(id uint64, low, high []byte, isRoot bool) error {
	p, err := c.read(id)
	if err != nil {
		return err
	}
	switch native.Uint16(p[8:]) {
	case branchFlag:
		return c.branch(id, p, low, high, isRoot)
	case leafFlag:
		return c.leaf(id, p, low, high, isRoot)
	}
	return damaged(id, "it is of no kind that belongs there")
}

// read returns a page with those that belong to it.
func (c *pageCheck) read(id uint64) ([]byte, error) {
	if id < 2 || id >= c.pages {
		return nil, damaged(id, "there is no such page")
	}
	var h [pageHeader]byte
	if _, err := c.file.ReadAt(h[:], int64(id)*c.pageSize); err != nil {
		return nil, err
	}
	more := uint64(native.Uint32(h[12:]))
	if native.Uint64(h[:]) != id || more >= c.pages-id {
		return nil, damaged(id, "wrong header")
	}
	for n := id; n <= id+more; n++ {
		if c.seen[n/64]&(1<<(n%64)) != 0 {
			return nil, damaged(n, "it is in two places")
		}
		c.seen[n/64] |= 1 << (n % 64)
	}
	p := make([]byte, (1+int64(more))*c.pageSize)
	_, err := c.file.ReadAt(p, int64(id)*c.pageSize)
	return p, err
}

func (c *pageCheck) branch(id uint64, p, low, high []byte, isRoot bool) error {
	count := int(native.Uint16(p[10:]))
	if count == 0 {
		return damaged(id, "a branch without leaves")
	}
	keys := make([][]byte, count+1)
	keys[count] = high
	for i := range count {
		e, err := element(id, p, i)
		if err != nil {
			return err
		}
		var ok bool
		if keys[i], _, ok = cut(e, native.Uint32(e), native.Uint32(e[4:]), 0); !ok {
			return damaged(id, "a key beyond its end")
		}
	}
	for i := range count {
		if err := inOrder(id, keys[i], low, high, i > 0); err != nil {
			return err
		}
		low = keys[i]
		e, _ := element(id, p, i)
		if err := c.tree(native.Uint64(e[8:]), keys[i], keys[i+1], isRoot); err != nil {
			return err
		}
	}
	return nil
}

func (c *pageCheck) leaf(id uint64, p, low, high []byte, isRoot bool) error {
	for i := range int(native.Uint16(p[10:])) {
		e, err := element(id, p, i)
		if err != nil {
			return err
		}
		key, value, ok := cut(e, native.Uint32(e[4:]), native.Uint32(e[8:]), native.Uint32(e[12:]))
		if !ok {
			return damaged(id, "a key or a value beyond its end")
		}
		if err := inOrder(id, key, low, high, i > 0); err != nil {
			return err
		}
		low = key
		switch flags := native.Uint32(e); {
		case flags == 1 && isRoot:
			if err := c.bucket(id, value); err != nil {
				return err
			}
		case flags != 0 || isRoot:
			return damaged(id, "a bucket within a bucket, or what is in none")
		}
	}
	return nil
}

// bucket walks the pages of one, which may lie within the value that describes it.
func (c *pageCheck) bucket(id uint64, value []byte) error {
	if len(value) < 16 {
		return damaged(id, "a bucket that is cut short")
	}
	if root := native.Uint64(value); root != 0 {
		return c.tree(root, nil, nil, false)
	}
	inline := value[16:]
	if len(inline) < pageHeader || native.Uint16(inline[8:]) != leafFlag {
		return damaged(id, "a bucket without a page")
	}
	return c.leaf(id, inline, nil, nil, false)
}

// element returns a page from its element i on.
func element(id uint64, p []byte, i int) ([]byte, error) {
	at := pageHeader + i*elementSize
	if at+elementSize > len(p) {
		return nil, damaged(id, "more elements than it has room for")
	}
	return p[at:], nil
}

// cut takes a key, and a value behind it, out of an element.
func cut(e []byte, at, key, value uint32) (k, v []byte, ok bool) {
	end := uint64(at) + uint64(key) + uint64(value)
	if at < elementSize || end > uint64(len(e)) {
		return nil, nil, false
	}
	return e[at : at+key], e[at+key : end], true
}

// inOrder wants a key to be low at least, or above it, and below high.
func inOrder(id uint64, key, low, high []byte, above bool) error {
	if d := bytes.Compare(key, low); d < 0 || d == 0 && above || high != nil && bytes.Compare(key, high) >= 0 {
		return damaged(id, "keys are not in order")
	}
	return nil
}
