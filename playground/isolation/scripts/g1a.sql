-- Aborted read: a value that is rolled back is read meanwhile
create table test (id int primary key, value int);
insert into test values (1, 10), (2, 20);

T1: begin;
T2: begin;
T1: update test set value = 101 where id = 1;
T2: select * from test;
T1: rollback;
T2: select * from test;
T2: commit;
