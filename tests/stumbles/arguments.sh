#!/bin/sh
# Missing arguments: each command without each thing that it needs says what that is.
. tests/checks.sh
model=examples/portraits-64.sgw

while IFS='|' read -r text arguments; do
    # shellcheck disable=SC2086 # a list of arguments
    refuses "stylegan $arguments" 2 "$text" $arguments
done <<END
no command; \`stylegan --help\` lists the commands|
missing argument: stylegan convert CHECKPOINT OUT.sgw|convert
missing argument: stylegan convert CHECKPOINT OUT.sgw|convert ffhq.pkl
missing argument: stylegan generate MODEL|generate
missing argument: stylegan generate MODEL|generate --seeds 1
give one of --seeds, --latents and --ws|generate $model
--seeds needs a value: --seeds LIST|generate $model --seeds
--seeds needs a value: --seeds LIST|generate $model --seeds --trunc 1
--outdir needs a value: --outdir DIR|generate $model --seeds 1 --outdir
--no-metadata takes no value|generate $model --seeds 1 --no-metadata=1
missing argument: stylegan map MODEL|map --seeds 1
give the file to write: --save-npy|map $model --seeds 1
missing argument: stylegan mix MODEL|mix --rows 1 --cols 2
give the seeds of the rows: --rows|mix $model --cols 2
give the seeds of the cols: --cols|mix $model --rows 1
missing argument: stylegan directions MODEL -o FILE.npy|directions
give the file to write: -o FILE.npy|directions $model
missing argument: stylegan edit MODEL|edit --seeds 1
give one of --direction, --fit and --from-seeds|edit $model
missing argument: stylegan video MODEL -o FILE|video --seeds 1-3
give the file to write: -o FILE.y4m|video $model --seeds 1-3
give the seeds of the key frames: --seeds 0-31|video $model -o frames.y4m
-o needs a value: -o FILE|video $model --seeds 1-3 -o
missing argument: stylegan info FILE|info
--save needs a value: --save FILE.sgw|bench --save
--json and --memory: give one of them|info $model --json --memory
missing argument: stylegan embed MODEL -o NAME.h|embed
missing argument: stylegan embed MODEL -o NAME.h|embed -o $left/portrait.h
give the file to write: -o portrait.h|embed $model
-o needs a value: -o NAME.h|embed $model -o
unexpected argument $left/portrait.h|embed $model $left/portrait.h
-o $left/portrait: must be a C header, such as portrait.h|embed $model -o $left/portrait
-o $left/portrait.sgw: must be a C header|embed $model -o $left/portrait.sgw
-o $left/.h: must be a C header|embed $model -o $left/.h
-o $left/StyleGAN.h: is the library's own name|embed $model -o $left/StyleGAN.h
--bits 16: must be 32 or 64|embed $model -o $left/portrait.h --bits 16
--bits 32bit: must be 32 or 64|embed $model -o $left/portrait.h --bits 32bit
--memory-limit much: not a size|embed $model -o $left/portrait.h --memory-limit much
--memory-limit 0: |embed $model -o $left/portrait.h --memory-limit 0
unknown flag --memory; did you mean --memory-limit?|embed $model -o $left/portrait.h --memory 1M
missing argument: stylegan evaluate MODEL --data DATA|evaluate
--data is needed: the training pictures|evaluate $model
missing argument: stylegan factors MODEL|factors --seeds 1
give one of --seeds, --latents and --ws|factors $model
--data is needed|train
--outdir is needed|train --data portraits
--data is needed|train --outdir run
--data is needed|train --resume
missing argument: stylegan project MODEL|project
--target is needed: the picture to find|project $model
--target needs a value: --target FILE|project $model --target
missing argument: stylegan pack DATA -o FILE.sgd|pack
give the file to write: -o FILE.sgd|pack photographs
-o needs a value: -o FILE.sgd|pack photographs -o
--pack needs a value: --pack FILE.sgd|portraits --pack
END

exit $failed
