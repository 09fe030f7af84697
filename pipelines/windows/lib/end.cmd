@rem SPDX-License-Identifier: LGPL-2.1-or-later
@rem Says what was written; where a double click began it, leaves the window open. What was captured before an error is kept;
@rem a file left empty is not.
@echo off
if not defined file goto end
for %%f in ("%file%") do if "%%~zf"=="0" del "%%~ff"
for %%f in ("%file%") do if exist "%%~ff" echo wrote   %%~ff, %%~zf bytes
:end
if defined clicked pause
exit /b %status%
