@rem SPDX-License-Identifier: LGPL-2.1-or-later
@echo off
setlocal DisableDelayedExpansion
set "script=%~n0"
set "does=Records what the computer plays into a WAV file, in the sample format that Windows mixes in."
set "extension=wav"
set "more="
call "%~dp0lib\begin.cmd" %* || goto end
@echo on
"%gst_launch%" -q -e zcloopbacksrc%settings% ! audioconvert ! wavenc ! filesink location="%file%"
@echo off
set "status=%errorlevel%"
:end
call "%~dp0lib\end.cmd"
