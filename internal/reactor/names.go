package reactor

import "math/bits"

// names keeps the clients' ids of one loop without an object or a pointer each: byte
// strings in chunks, cut into blocks of a few sizes, a free list a size. Owned by the loop.
type names struct {
	chunks [][]byte
	used   uint32               // bytes taken of the last chunk
	free   [nameClasses]nameRef // heads of the free lists, linked through the blocks
}

// nameRef is where a name lies: chunk in the high 16 bits, and within it the block in
// units of nameUnit plus one, so that zero means none.
type nameRef uint32

const (
	nameChunk = 64 << 10
	nameUnit  = 8
	// Blocks of up to exactNames bytes have the size of their name, rounded up to a unit;
	// beyond, powers of two: a crowd whose ids change their length leaves free blocks of
	// ten sizes behind, not of thirty-two.
	exactNames  = 64
	nameClasses = 10 // 8, 16, 24 to 64, 128, 256
)

// nameClass returns the class and the size of the block for a name of n bytes, and one
// byte for its length.
func nameClass(n int) (class int, size uint32) {
	units := n/nameUnit + 1
	if units <= exactNames/nameUnit {
		return units - 1, uint32(units * nameUnit)
	}
	double := bits.Len(uint(n) / exactNames)
	return exactNames/nameUnit - 1 + double, uint32(exactNames << double)
}

// put stores a copy of name, which has at most 255 bytes.
func (a *names) put(name []byte) nameRef {
	class, size := nameClass(len(name))
	ref := a.free[class]
	if ref != 0 {
		a.free[class] = a.next(ref)
	} else {
		ref = a.cut(size)
	}
	block := a.block(ref)
	block[0] = byte(len(name))
	copy(block[1:], name)
	return ref
}

// get returns a view that is valid until the name is dropped.
func (a *names) get(ref nameRef) []byte {
	if ref == 0 {
		return nil
	}
	block := a.block(ref)
	return block[1 : 1+int(block[0])]
}

// drop frees the name for reuse.
func (a *names) drop(ref nameRef) {
	if ref == 0 {
		return
	}
	block := a.block(ref)
	class, _ := nameClass(int(block[0]))
	next := a.free[class]
	block[1], block[2], block[3], block[4] = byte(next>>24), byte(next>>16), byte(next>>8), byte(next)
	a.free[class] = ref
}

func (a *names) next(ref nameRef) nameRef {
	b := a.block(ref)
	return nameRef(b[1])<<24 | nameRef(b[2])<<16 | nameRef(b[3])<<8 | nameRef(b[4])
}

// cut takes a new block of size bytes from the last chunk.
func (a *names) cut(size uint32) nameRef {
	if len(a.chunks) == 0 || a.used+size > nameChunk {
		a.chunks = append(a.chunks, make([]byte, nameChunk))
		a.used = 0
	}
	ref := nameRef(len(a.chunks)-1)<<16 | nameRef(a.used/nameUnit+1)
	a.used += size
	return ref
}

func (a *names) block(ref nameRef) []byte {
	return a.chunks[ref>>16][(uint32(ref&0xffff)-1)*nameUnit:]
}
