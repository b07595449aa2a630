#include "go_asm.h"
#include "textflag.h"

// func prefetchChunk(blocks **entryBlock, ids, after *chunk)
TEXT ·prefetchChunk(SB), NOSPLIT, $0-24
	MOVQ blocks+0(FP), DI
	MOVQ ids+8(FP), SI
	MOVQ after+16(FP), AX
	PREFETCHT0 (AX)
	PREFETCHT0 64(AX)
	MOVQ $const_chunkWords, DX
id:
	MOVL -4(SI)(DX*4), AX
	MOVL AX, BX
	SHRL $const_blockShift, BX
	MOVQ (DI)(BX*8), BX
	ANDL $(const_blockEntries-1), AX
	SHLQ $const_entryShift, AX
	PREFETCHT0 (BX)(AX*1)
	DECQ DX
	CMPQ DX, $const_chunkHeader
	JNE  id
	RET
