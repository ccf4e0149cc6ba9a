/** Texts made to break a decoder. Each is refused with an error of the product, quickly, and without using much memory. */
export interface Hostile {
  what: string
  rich: boolean
  text: string
  parts?: Uint8Array[]
}

const nest = (open: string, inner: string, close: string, levels: number) =>
  open.repeat(levels) + inner + close.repeat(levels)

/** `[[1],[2],…]`: each list holds the next, so the builder recurses once for each. */
const chain = (levels: number) =>
  `[${Array.from({ length: levels }, (_, index) => `[${index + 1}]`).join(',')},0]`

/** Each list holds the next one ten times: a few hundred characters that stand for ten to the power of `levels` values. */
const doubling = (levels: number) =>
  `[${Array.from({ length: levels }, (_, index) => `[${Array(10).fill(index + 1)}]`).join(',')},1]`

const forbidden = ['__proto__', 'constructor', 'prototype']

const prototypeKeys: Hostile[] = [
  ...forbidden.map((key) => ({ what: `the key ${key}`, rich: false, text: `[{"${key}":{"polluted":1}}]` })),
  ...forbidden.map((key) => ({
    what: `the key ${key}, deep`,
    rich: false,
    text: `{"a":[0,{"b":{"${key}":1}}]}`,
  })),
  ...forbidden.map((key) => ({
    what: `the rich key ${key}`,
    rich: true,
    text: `[{"a":1},{"${key}":2},{"polluted":3},1]`,
  })),
  {
    what: 'a key spelled with escapes',
    rich: false,
    text: String.raw`[{"\u005f_proto_\u005f":{"polluted":1}}]`,
  },
  { what: 'a rich key spelled with escapes', rich: true, text: String.raw`[{"c\u006fnstructor":1},2]` },
  { what: 'a key of a null-prototype object', rich: true, text: '[["null","__proto__",1],{}]' },
  { what: 'a prototype chain as a reference', rich: true, text: '[["__proto__",1],{}]' },
  { what: 'an inherited reviver', rich: true, text: '[["toString",1],{}]' },
  { what: 'the reviver table itself', rich: true, text: '[["constructor",1],"return 1"]' },
  { what: 'a method by name', rich: true, text: '[["hasOwnProperty",1],{}]' },
  { what: 'a property of the node list', rich: true, text: '[["x"],"length"]' },
]

const callables: Hostile[] = [
  { what: 'a function', rich: true, text: '[["Function",1],"return process"]' },
  {
    what: 'a server reference',
    rich: true,
    text: '[["ServerReference",1],{"id":2,"bound":3},"fs#readFile",[]]',
  },
  { what: 'a promise', rich: true, text: '[["Promise",1],1]' },
  { what: 'a symbol', rich: true, text: '[["Symbol",1],"iterator"]' },
  { what: 'a plugin of its own', rich: true, text: '[["Plugin",1],{"tag":2},"x"]' },
  { what: 'a regular expression', rich: true, text: '[["RegExp","^(a+)+$"]]' },
  { what: 'a boxed value', rich: true, text: '[["Object",1],1]' },
  { what: 'a stream', rich: true, text: '[["ReadableStream",1],0]' },
  { what: 'a Temporal value', rich: true, text: '[["Temporal.Instant","2020-01-01T00:00:00Z"]]' },
  { what: 'a class instance', rich: true, text: '[["User",1],{"name":2},"x"]' },
  { what: 'an error as an argument', rich: true, text: '[["Error",1],{"name":2,"message":2},"x"]' },
  { what: 'a text with a method', rich: true, text: '[["Date",{"toString":1}],1]' },
]

const bombs: Hostile[] = [
  { what: 'a sparse array of 4,294,967,295 items', rich: true, text: '[[-7,4294967295]]' },
  {
    what: 'a sparse array of 4,294,967,295 items with one',
    rich: true,
    text: '[[-7,4294967295,4294967294,1],1]',
  },
  {
    what: 'many large sparse arrays',
    rich: true,
    text: `[[${Array.from({ length: 99 }, (_, i) => i + 1)}]${',[-7,4000000]'.repeat(99)}]`,
  },
  { what: 'a sparse array of a negative length', rich: true, text: '[[-7,-1]]' },
  { what: 'a sparse array of half an item', rich: true, text: '[[-7,1.5]]' },
  { what: 'a sparse array with an index beyond its length', rich: true, text: '[[-7,5,5,1],1]' },
  { what: 'a sparse array with one index twice', rich: true, text: '[[-7,5,1,1,1,1],1]' },
  { what: 'a sparse array with an index that is text', rich: true, text: '[[-7,5,"length",1],1]' },
  { what: 'a sparse array with an index without value', rich: true, text: '[[-7,5,1]]' },
  { what: '1,000 levels of lists', rich: false, text: nest('[', '', ']', 1_000) },
  { what: '1,000 levels of objects', rich: false, text: nest('{"a":', '1', '}', 1_000) },
  { what: '1,000,000 levels that never close', rich: false, text: '['.repeat(1_000_000) },
  { what: '65 levels', rich: false, text: nest('[', '', ']', 65) },
  { what: '1,200 rich levels', rich: true, text: chain(1_200) },
  { what: '100,000 rich levels', rich: true, text: chain(100_000) },
  { what: 'nesting where references belong', rich: true, text: '[[[0]]]' },
  { what: 'shared lists that double sixty times', rich: true, text: doubling(60) },
  { what: 'a bigint of a million digits', rich: true, text: `[["BigInt","${'9'.repeat(1_000_000)}"]]` },
  { what: 'a bigint in hexadecimal', rich: true, text: `[["BigInt","0x${'f'.repeat(9_000)}"]]` },
  { what: 'a bigint that is nothing', rich: true, text: '[["BigInt",""]]' },
  { what: 'a bigint by reference', rich: true, text: '[["BigInt",1],"1"]' },
  { what: 'five million values', rich: false, text: `[${'0,'.repeat(5_000_000)}0]` },
  { what: 'a map of a million and one entries', rich: true, text: `[["Map"${',1,1'.repeat(1_000_001)}],1]` },
  { what: 'a set of a million and one items', rich: true, text: `[["Set"${',1'.repeat(1_000_001)}],1]` },
]

const references: Hostile[] = [
  { what: 'a reference behind the end', rich: true, text: '[[9]]' },
  { what: 'a reference to a fraction', rich: true, text: '[[0.5],1]' },
  { what: 'a reference below all constants', rich: true, text: '[[-8]]' },
  { what: 'the largest reference', rich: true, text: '[[4294967296]]' },
  { what: 'a reference that is text', rich: true, text: '[{"a":"1"},1]' },
  { what: 'a reference that is null', rich: true, text: '[[null],1]' },
  { what: 'a hole as a value', rich: true, text: '-2' },
  { what: 'a hole in an object', rich: true, text: '[{"a":-2}]' },
  { what: 'a hole in a map', rich: true, text: '[["Map",-2,-2]]' },
  { what: 'the mark of a sparse array as a value', rich: true, text: '-7' },
  { what: 'a number where the list belongs', rich: true, text: '5' },
  { what: 'a text where the list belongs', rich: true, text: '"x"' },
  { what: 'an object where the list belongs', rich: true, text: '{"a":0}' },
  { what: 'null where the list belongs', rich: true, text: 'null' },
  { what: 'an empty list', rich: true, text: '[]' },
  { what: 'nothing', rich: true, text: '' },
  { what: 'nothing, plain', rich: false, text: '' },
  { what: 'half a text', rich: false, text: '["abc' },
  { what: 'half a list', rich: true, text: '[[1],' },
  { what: 'two texts', rich: false, text: '1 2' },
  { what: 'a map with a key and no value', rich: true, text: '[["Map",1],1]' },
  { what: 'a date that is a list', rich: true, text: '[["Date",[1]],1]' },
  { what: 'a date of a thousand characters', rich: true, text: `[["Date","${'2'.repeat(1_000)}"]]` },
  { what: 'a URL that is none', rich: true, text: '[["URL","http://"]]' },
  { what: 'a URL without text', rich: true, text: '[["URL",""]]' },
]

const one = [new Uint8Array(8)]

const bytes: Hostile[] = [
  { what: 'a part that is not there', rich: true, text: '[["Bytes",1],[2,3],"Uint8Array",5]', parts: one },
  { what: 'a part before the first', rich: true, text: '[["Bytes",1],[2,3],"Uint8Array",-1]', parts: one },
  { what: 'a part that is text', rich: true, text: '[["Bytes",1],[2,2],"Uint8Array"]', parts: one },
  { what: 'a part by its name', rich: true, text: '[["Bytes",1],[2,3],"Uint8Array","length"]', parts: one },
  {
    what: 'a part used twice',
    rich: true,
    text: '[[1,1,4],["Bytes",2],[3,5],"Uint8Array",["Bytes",2],0]',
    parts: one,
  },
  { what: 'a part nobody uses', rich: true, text: '[[]]', parts: one },
  { what: 'a part beside plain JSON', rich: false, text: '[]', parts: one },
  {
    what: 'a gap between parts',
    rich: true,
    text: '[[1,5],["Bytes",2],[3,4],"Uint8Array",0,["Bytes",6],[3,7],2]',
    parts: one,
  },
  { what: 'a length instead of bytes', rich: true, text: '[["Uint8Array",1],4000000000]' },
  { what: 'a view over something else', rich: true, text: '[["Uint8Array",1],[2,2],7]' },
  { what: 'a view over itself', rich: true, text: '[["Float64Array",0]]' },
  { what: 'a buffer in the text', rich: true, text: '[["ArrayBuffer","AAAA"]]' },
  { what: 'a constructor that is no view', rich: true, text: '[["Bytes",1],[2,3],"Array",0]', parts: one },
  { what: 'a shared buffer', rich: true, text: '[["Bytes",1],[2,3],"SharedArrayBuffer",0]', parts: one },
  { what: 'an inherited name as a view', rich: true, text: '[["Bytes",1],[2,3],"toString",0]', parts: one },
  {
    what: 'bytes that do not fill the items',
    rich: true,
    text: '[["Bytes",1],[2,3],"Float64Array",0]',
    parts: [new Uint8Array(7)],
  },
  { what: 'bytes of bytes', rich: true, text: '[["Bytes",0]]', parts: one },
  {
    what: 'bytes written as a sparse array',
    rich: true,
    text: '[["Bytes",1],[-7,2,0,2],"Uint8Array"]',
    parts: one,
  },
  { what: 'bytes with more fields', rich: true, text: '[["Bytes",1],[2,3,3],"Uint8Array",0]', parts: one },
  { what: 'bytes with a tail', rich: true, text: '[["Bytes",1,1],[2,3],"Uint8Array",0]', parts: one },
  { what: 'inline bytes that are a number', rich: true, text: '[["Bytes",1],[2,3],"Uint8Array",0,7]' },
  { what: 'inline bytes that are no base64', rich: true, text: '[["Bytes",1],[2,3],"Uint8Array",0,"@@@@"]' },
  { what: 'inline bytes cut short', rich: true, text: '[["Bytes",1],[2,3],"Uint8Array",0,"AAA"]' },
  { what: 'a blob without a type', rich: true, text: '[["Blob",1],[2,2],0]', parts: one },
  { what: 'a file without a name', rich: true, text: '[["File",1],[2,2,2,2],0]', parts: one },
  { what: 'a file with text as its time', rich: true, text: '[["File",1],[2,2,2,3],"x",0]', parts: one },
  { what: 'a form with a number', rich: true, text: '[["FormData",1],[2,3],"x",5]' },
  {
    what: 'a form with a blob',
    rich: true,
    text: '[["FormData",1],[2,3],"x",["Blob",4],[2,5],0]',
    parts: one,
  },
  { what: 'a form with a name and no value', rich: true, text: '[["FormData",1],[2],"x"]' },
  { what: 'a form of itself', rich: true, text: '[["FormData",0]]' },
  { what: 'a form of nothing', rich: true, text: '[["FormData",-1]]' },
]

export const hostile: readonly Hostile[] = [...prototypeKeys, ...callables, ...bombs, ...references, ...bytes]

/** The same for results, whose grammar also has errors. */
export const hostileResults: readonly Hostile[] = [
  { what: 'an error that is a text', rich: true, text: '[["Error",1],"x"]' },
  { what: 'an error that is a list', rich: true, text: '[["Error",1],[2],"x"]' },
  { what: 'an error of itself', rich: true, text: '[["Error",0]]' },
  { what: 'an error of nothing', rich: true, text: '[["Error",-1]]' },
  { what: 'an error with a forbidden key', rich: true, text: '[["Error",1],{"constructor":2},"x"]' },
]
