-- Predicate-many-preceders: a row that another inserts meanwhile appears to the second of two reads by a condition
create table test (id int primary key, value int);
insert into test values (1, 10), (2, 20);

T1: begin;
T2: begin;
T1: select * from test where value = 30;
T2: insert into test values (3, 30);
T2: commit;
T1: select * from test where value % 3 = 0;
T1: commit;
