package envelope

import (
	"fmt"
	"iter"
)

// AppendName appends a name of 1 to 255 bytes to the Content of a Page.
func AppendName(dst, name []byte) []byte {
	return append(append(dst, byte(len(name))), name...)
}

// Names yields the names of a Page's Content, as views. What is cut short ends it with an error.
func Names(content []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for len(content) > 0 {
			n := int(content[0])
			if len(content)-1 < n || n == 0 {
				yield(nil, fmt.Errorf("%w: a name of %d bytes, %d left", ErrTruncated, n, len(content)-1))
				return
			}
			if !yield(content[1:1+n:1+n], nil) {
				return
			}
			content = content[1+n:]
		}
	}
}
